"""The examples in docs/examples, run as they stand against a whole aisle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.endpoints import find_endpoints
from infra.store import Store
from schemas.http.account import Role
from tests.integration.road import Road, eventually, wait
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

EXAMPLES = Path("docs/examples").resolve()
PASSWORD = "a long enough pass phrase"  # noqa: S105 - of an account that ends with the test
PHOTO = next(Path("tests/data/grocery_store").rglob("*.jpg")).resolve()


@pytest.fixture
async def machine(road: Road) -> dict[str, str]:
    """The environment of a program that has an API key of a reviewer's."""
    endpoints = find_endpoints(road.settings)
    store = Store(endpoints.mongodb_uri, road.settings.mongodb_database)
    try:
        if await Users(store).find("examples") is None:
            await Users(store).add("examples", Role.REVIEWER, await Hasher().hash(PASSWORD), "the tests")
    finally:
        store.close()
    async with httpx.AsyncClient(base_url=road.gateway, timeout=30) as calls:

        async def ready() -> bool:
            return (await calls.get("/health/ready")).is_success

        await eventually(ready, 60)
        signed_in = await calls.post("/api/v1/auth/sign-in", json={"name": "examples", "password": PASSWORD})
        token = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        key = (await calls.post("/api/v1/me/keys", json={"name": "tests"}, headers=token)).json()["key"]
    return os.environ | {
        "AISLE_URL": road.gateway,
        "AISLE_KEY": key,
        "AISLE_KAFKA_BOOTSTRAP": endpoints.kafka_bootstrap,
    }


def run(name: str, *arguments: str, env: dict[str, str]) -> str:
    """What an example prints; it has to end well."""
    command = [sys.executable, str(EXAMPLES / name)] if name.endswith(".py") else [str(EXAMPLES / name)]
    done = subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_a_product_is_classified_over_http(machine: dict[str, str]) -> None:
    """By curl with and without a photo, and by Python; sent again it is the same event."""
    one, again = (json.loads(run("predict.sh", "Camembert au lait cru", env=machine)) for _ in range(2))
    assert one["event_id"] == again["event_id"]
    assert 0 < one["confidence"] <= 1
    with_photo = json.loads(run("predict.sh", "Pommes Golden", str(PHOTO), env=machine))
    assert "title" in with_photo["modalities"]
    assert 3 == len(run("predict.py", "Camembert au lait cru", env=machine).split())


def test_a_product_is_corrected_over_http(machine: dict[str, str]) -> None:
    """By curl and by Python, and the verdict is the item's a moment later."""
    codes = [one["code"] for one in json.loads(run("predict.sh", "Eau de source", env=machine))["top"]]
    event_id = json.loads(run("predict.sh", "Eau de source", env=machine))["event_id"]
    with httpx.Client(
        base_url=machine["AISLE_URL"], headers={"Authorization": f"Bearer {machine['AISLE_KEY']}"}
    ) as calls:

        def verdict() -> str | None:
            answer = calls.get(f"/api/v1/items/{event_id}")
            return (answer.json().get("verdict") or {}).get("code") if answer.is_success else None

        for name, code in (("correct.sh", codes[1]), ("correct.py", codes[2])):
            run(name, event_id, code, env=machine)
            wait(lambda wanted=code: verdict() == wanted, 20)  # type: ignore[misc] # bound now, called now


def test_plain_kafka_clients_meet_aisle(machine: dict[str, str]) -> None:
    """What is produced is answered, and what is said of it is published as a reviewer's answer."""
    event_id = run("produce.py", "example-1", "Jus de pomme pressé à froid", env=machine).strip()
    seen = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "consume.py"), f"group-{event_id}"],
        env=machine,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert seen.stdout is not None
        answer = next(line.split() for line in seen.stdout if line.startswith(event_id))
        assert "reviewer" != answer[2]
        run("give_feedback.py", event_id, answer[1], "me", env=machine)
        after = next(line.split() for line in seen.stdout if line.startswith(event_id))
        assert [event_id, answer[1], "reviewer"] == after
    finally:
        seen.kill()
        seen.wait()
        if seen.stdout is not None:
            seen.stdout.close()
