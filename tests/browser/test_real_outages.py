"""Pages of a whole aisle while its store or its broker does not answer: they say so, and recover by themselves."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from infra.local.state import ServiceName
from tests.browser.people import LOOKS, person
from tests.browser.whole import ADMIN, PASSWORD, Whole
from tests.integration.road import wait
from workers.gateway.pages.assets import address

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]

PREDICT = "/api/v1/predictions"
LONG_MS = 60_000


@contextmanager
def away(aisle: Whole, service: ServiceName) -> Iterator[None]:
    """A service stands still: its connections stay, and nothing answers."""
    pid = aisle.pid(service)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def machine(aisle: Whole) -> Iterator[httpx.Client]:
    """A client of the API with a key."""
    with httpx.Client(base_url=aisle.url, timeout=60) as client:
        said = client.post("/api/v1/auth/sign-in", json={"name": ADMIN, "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {said['access_token']}"
        key = client.post("/api/v1/me/keys", json={"name": "outages"}).json()
        client.headers["Authorization"] = f"Bearer {key['key']}"
        assert httpx.codes.OK == client.post(PREDICT, json={"title": "lamp"}).status_code
        yield client


def predicted(client: httpx.Client) -> tuple[int, dict[str, Any], httpx.Headers]:
    """What a predict call comes to."""
    answer = client.post(PREDICT, json={"title": "Piscine ronde"})
    return answer.status_code, answer.json(), answer.headers


def test_without_the_store_predictions_go_on(aisle: Whole, chromium: Browser, machine: httpx.Client) -> None:
    """Machines are answered; a page that needs the store says so plainly, and shows its data once it is back."""
    with person(chromium, aisle, LOOKS[0]) as somebody:
        somebody.witness.expected.append("/api/v1/")
        page = somebody.sign_in(ADMIN, PASSWORD)
        somebody.menu(page)
        with away(aisle, "docstore"):
            page.click('.menu a[href="/items"]')
            for _ in range(3):
                status, said, _headers = predicted(machine)
                assert (200, "2583") == (status, said["category"]["code"])
            notice = page.locator("#list .notice")
            expect(notice).to_contain_text(somebody.words("problem.store_unavailable"), timeout=LONG_MS)
            expect(notice).to_contain_text(somebody.words("common.recovers"))
        expect(page.locator("#list tbody tr").first).to_be_visible(timeout=LONG_MS)


READS = """async (path) => {
  const { get } = await import(path);
  for (let n = 0; n < 12; n += 1) get("/api/v1/items", { limit: 1 + n }).catch(() => null);
}"""


def test_reads_that_hang_keep_nobody_on_a_page(aisle: Whole, chromium: Browser) -> None:
    """More of them wait for the store than a browser has connections: the next page comes all the same."""
    with person(chromium, aisle, LOOKS[0]) as somebody:
        somebody.witness.expected.append("/api/v1/")
        somebody.sign_in(ADMIN, PASSWORD).close()
        page = somebody.visit("/topics")
        page.wait_for_load_state("networkidle")
        with away(aisle, "docstore"):
            page.evaluate(READS, address("api.js"))
            page.click('.menu a[href="/docs"]')
            page.wait_for_url("**/docs")
        expect(page.locator("#swagger .opblock").first).to_be_visible()


def test_without_the_broker_callers_are_told_to_come_back(
    aisle: Whole, chromium: Browser, machine: httpx.Client
) -> None:
    """503 with Retry-After, health says why, a person is told too; once it answers all is well by itself."""
    with person(chromium, aisle, LOOKS[1]) as somebody:
        somebody.witness.expected.append("/api/v1/")
        somebody.sign_in(ADMIN, PASSWORD).close()
        page = somebody.visit("/classify")
        with away(aisle, "kafka"):
            wait(lambda: machine.get("/health/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE, 60)
            assert "Kafka" in str(machine.get("/health/ready").json()["causes"])
            status, said, headers = predicted(machine)
            assert (503, True, "application/problem+json") == (status, said["retryable"], headers["content-type"])
            assert int(headers["retry-after"])
            page.fill("#title", "Piscine ronde")
            page.click("#do")
            expect(page.locator("#answer .notice")).to_contain_text(somebody.words("problem.broker_unavailable"))
        wait(lambda: machine.get("/health/ready").is_success, 60)
        wait(lambda: predicted(machine)[0] == httpx.codes.OK, 60)
        page.click("#do")
        expect(page.locator("#answer .bar").first).to_be_visible()
