"""What holds for every request to the gateway, whatever its route."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from infra.errors import DeliveryFailed
from schemas.http.account import Role
from tests.gateway import client, gateway
from workers.gateway.access import PERMISSIONS, Right
from workers.gateway.parts import Parts

PREDICT = "/api/v1/predictions"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not-found"),
        ("PUT", "/health/live", 405, "method-not-allowed"),
        ("POST", PREDICT, 401, "unauthenticated"),
        ("GET", f"{PREDICT}/{UUID(int=0)}", 401, "unauthenticated"),
        ("GET", PREDICT + "/no-uuid", 404, "not-found"),
        ("GET", PREDICT + "/upload", 405, "method-not-allowed"),
    ],
)
async def test_what_goes_wrong_is_a_problem(tmp_path: Path, method: str, path: str, status: int, code: str) -> None:
    """RFC 9457 for every status, with the id under which the log has the request."""
    app, _ = gateway(tmp_path)
    async with client(app) as calls:
        answer = await calls.request(method, path)
    assert "application/problem+json" == answer.headers["content-type"]
    problem = answer.json()
    assert (status, f"urn:aisle:problem:{code}", answer.headers["x-request-id"]) == (
        answer.status_code,
        problem["type"],
        problem["request_id"],
    )


async def test_a_bad_field_is_named(tmp_path: Path) -> None:
    """So that a caller can mend it; what was sent is not sent back."""
    app, _ = gateway(tmp_path)
    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.post(PREDICT, json={"title": ["<script>"], "titel": "x"})
    assert 422 == answer.status_code
    assert {"body.title", "body.titel"} == {one["where"] for one in answer.json()["errors"]}
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/health/live", "/nothing", PREDICT])
async def test_every_answer_keeps_pages_safe(tmp_path: Path, path: str) -> None:
    """No script but ours, no frame around us, no type but the one that is named, nothing kept by a cache."""
    app, _ = gateway(tmp_path)
    async with client(app) as calls:
        headers = (await calls.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert ("nosniff", "DENY", "no-store", "no-referrer") == (
        headers["x-content-type-options"],
        headers["x-frame-options"],
        headers["cache-control"],
        headers["referrer-policy"],
    )
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("types", [["application/json"], ["application/json", "text/plain"], []])
async def test_a_body_of_very_many_parts_is_not_parsed(tmp_path: Path, types: list[str]) -> None:
    """Three bytes become an object of a hundred, so that memory would follow the caller's wishes.

    FastAPI goes by the first of several types, and takes a body without any for JSON.
    """
    app, _ = gateway(tmp_path)
    headers = [("Content-Type", one) for one in types]
    async with client(app, Role.CUSTOMER) as calls:
        many = await calls.post(PREDICT, content=b"[" + b"{}," * 150_000 + b"{}]", headers=headers)
        text = await calls.post(PREDICT, content=b'{"title":"' + b"{}" * 90_000 + b'"}', headers=headers)
    assert (413, 422) == (many.status_code, text.status_code)
    assert "parts" in many.json()["detail"]


async def test_a_path_with_a_slash_too_many_leads_nowhere(tmp_path: Path) -> None:
    """A redirect would be to the place that the caller's header Host says."""
    app, _ = gateway(tmp_path)
    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.get("/api/v1/items/", headers={"Host": "evil.example"})
    assert (404, None) == (answer.status_code, answer.headers.get("location"))


async def test_behind_https_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    """As far as the settings say that callers come by it."""
    app, _ = gateway(tmp_path, gateway_url="https://aisle.example.org")
    async with client(app) as calls:
        assert "max-age=31536000" == (await calls.get("/health/live")).headers["strict-transport-security"]


@pytest.mark.parametrize("given", ["a" * 65, "two words", "é", ""])
async def test_a_request_id_that_could_do_harm_is_replaced(tmp_path: Path, given: str) -> None:
    """It stands in logs and in a header."""
    app, _ = gateway(tmp_path)
    async with client(app) as calls:
        kept = await calls.get("/health/live", headers={"X-Request-ID": "mine-1.2_3"})
        made = await calls.get("/health/live", headers=[(b"X-Request-ID", given.encode())])
    assert "mine-1.2_3" == kept.headers["x-request-id"]
    assert str(UUID(made.headers["x-request-id"])) == made.headers["x-request-id"]


async def test_a_body_that_says_it_is_too_long_is_not_read(tmp_path: Path) -> None:
    """Its length is enough to refuse it."""
    app, parts = gateway(tmp_path, gateway_body_bytes=1 << 20)
    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.post(PREDICT, content=b" " * (parts.settings.gateway_body_bytes + 1))
    assert (413, "close") == (answer.status_code, answer.headers["connection"])


async def test_a_body_that_grows_too_long_is_cut_off(tmp_path: Path) -> None:
    """Sent in parts, its length is not known before."""
    app, _ = gateway(tmp_path, gateway_body_bytes=1 << 20)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1 << 16
            yield b" " * (1 << 16)

    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.post(PREDICT, content=endless())
    assert (413, "close") == (answer.status_code, answer.headers["connection"])
    assert sent < 20 << 20  # of 64 MiB: some more was let go by, unread


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    """Else a handful of slow callers would hold everything."""
    app, _ = gateway(tmp_path, gateway_body_s=0.1)

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"title":'
        await asyncio.Event().wait()

    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.post(PREDICT, content=slow())
    assert (408, True) == (answer.status_code, answer.json()["retryable"])


async def test_a_body_that_drips_ends(tmp_path: Path) -> None:
    """However steadily its bytes come: the time is for the whole of it."""
    app, _ = gateway(tmp_path, gateway_body_s=0.3)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    async with client(app, Role.CUSTOMER) as calls:
        assert 408 == (await calls.post(PREDICT, content=dripping())).status_code


@pytest.mark.parametrize(
    ("path", "role", "size"),
    [
        ("/api/v1/auth/sign-in", None, 1 << 17),
        ("/api/v1/me/keys", Role.ADMIN, 1 << 17),
        ("/api/v1/verdicts", Role.REVIEWER, 3 << 20),
    ],
)
async def test_only_calls_that_carry_photos_or_files_are_long(
    tmp_path: Path, path: str, role: Role | None, size: int
) -> None:
    """A body is as long as its path needs."""
    app, _ = gateway(tmp_path)
    async with client(app, role) as calls:
        assert 413 == (await calls.post(path, content=b" " * size)).status_code


async def test_many_bad_fields_are_not_all_named(tmp_path: Path) -> None:
    """The answer to a bad request is no longer than it helps."""
    app, _ = gateway(tmp_path)
    async with client(app, Role.CUSTOMER) as calls:
        answer = await calls.post(PREDICT, json={f"field {number}": 1 for number in range(1_000)})
    assert (422, 100) == (answer.status_code, len(answer.json()["errors"]))


async def test_what_fails_unexpectedly_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    """The log has it, under the request's id."""
    app, parts = gateway(tmp_path)
    parts.road.submitted_by = None  # type: ignore[method-assign,assignment] # breaks the route
    headers = {"Authorization": f"Bearer {Role.CUSTOMER}"}
    # What would reach the server, which then ends the connection, is raised by this transport.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t", headers=headers) as calls:
        answer = await calls.get(f"{PREDICT}/00000000-0000-0000-0000-000000000000")
    assert (500, "The gateway failed; its log says how.") == (answer.status_code, answer.json()["detail"])
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_cookies_open_no_route_of_the_api(tmp_path: Path) -> None:
    """So that no other site can make a browser act in its user's name."""
    app, _ = gateway(tmp_path)
    async with client(app) as calls:
        answer = await calls.post(PREDICT, json={"title": "x"}, headers={"Cookie": "aisle_session=admin"})
    assert 401 == answer.status_code


def test_the_table_of_permissions() -> None:
    """What each role may do, so that a change of it shows."""
    rights = {role.value: {right.value for right in Right if role in PERMISSIONS.get(right, ())} for role in Role}
    assert {
        "customer": {"account", "predict"},
        "reviewer": {"account", "predict", "review", "watch"},
        "admin": {"account", "predict", "review", "watch", "operate", "administer"},
    } == rights


async def test_who_asks_again_while_the_broker_fails_is_told_so(tmp_path: Path) -> None:
    """Two calls with one key: when the first is not taken, the second gets the same clean answer, not a crash."""
    app, parts = gateway(tmp_path)
    waiting, failing = asyncio.Event(), asyncio.Event()

    async def publish(*_: object) -> None:
        waiting.set()
        await failing.wait()
        raise DeliveryFailed("The broker did not take the product.")

    parts.road.publish = publish  # type: ignore[method-assign,assignment]
    key = {"Idempotency-Key": "k"}
    async with client(app, Role.CUSTOMER) as calls:
        first = asyncio.create_task(calls.post(PREDICT, json={"title": "lamp"}, headers=key))
        await waiting.wait()
        second = asyncio.create_task(calls.post(PREDICT, json={"title": "lamp"}, headers=key))
        while not _waited_for(parts):
            await asyncio.sleep(0)
        failing.set()
        answers = await asyncio.gather(first, second)
    parts.store.close()
    assert [503, 503] == [answer.status_code for answer in answers]
    assert all("retry-after" in answer.headers for answer in answers)


def _waited_for(parts: Parts) -> bool:
    """Whether a call waits for the one answer that is expected."""
    return any(answer._callbacks for answer in parts.road.answers._expected.values())
