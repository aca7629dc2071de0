"""Who sends a body is known before it is read, and how many may come of one account."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI
from starlette.types import Message

from infra.settings import Settings
from infra.store import Store
from schemas.http.account import Role
from tests.accounts import Clock
from tests.gateway import NOWHERE, client, gateway
from tests.unit.test_gateway_routes import BY_ROUTE
from workers.gateway.access import Principal, Requires, Right
from workers.gateway.accounts.gatekeeper import Accounts
from workers.gateway.errors import TooMany
from workers.gateway.quota import Quota

PREDICT = "/api/v1/predictions"
WITH_BODY = sorted(
    route for route, right in BY_ROUTE.items() if right is not Right.PUBLIC and not route.startswith("GET")
)

SOON, LATER = {Right.OPERATE, Right.ADMINISTER}, {Right.REVIEW, Right.WATCH}


class Caller:
    """A connection that brings a request's head at once and its body on demand, and takes down what happens."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)
        self.said: list[Message] = []
        self.read_before_answer = 0

    async def receive(self) -> Message:
        """The next part of the body."""
        if not self.said:
            self.read_before_answer += 1
        body = self._parts.pop(0) if self._parts else b""
        return {"type": "http.request", "body": body, "more_body": bool(self._parts)}

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        self.said.append(message)

    @property
    def unread(self) -> int:
        """How many parts were never taken."""
        return len(self._parts)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A gateway of this module's."""
    return gateway(tmp_path_factory.mktemp("door"))[0]


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer forged")]], ids=["none", "forged"])
@pytest.mark.parametrize("route", WITH_BODY)
async def test_no_byte_of_a_stranger_s_body_is_read(
    route: str, headers: list[tuple[bytes, bytes]], app: FastAPI
) -> None:
    """Refused by the head alone, on every route, and the connection ends behind the answer."""
    caller = Caller(b"x" * 32, b"x" * 32)
    method, path = route.split()
    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": b""}
    sent = [(b"content-length", b"64"), (b"content-type", b"application/json"), *headers]
    await app(scope | {"headers": sent}, caller.receive, caller.send)
    start = caller.said[0]
    assert (401, b"close") == (start["status"], dict(start["headers"])[b"connection"])
    assert 0 == caller.read_before_answer
    assert [True, False] == [message.get("more_body", False) for message in caller.said[1:]]
    assert 0 == caller.unread  # it is let go by, so that the answer arrives


async def test_who_is_known_is_asked_for_once(tmp_path: Path) -> None:
    """Neither the store nor the signature is looked at twice for one request."""
    app, _ = gateway(tmp_path)
    asked: list[str] = []

    class Keeper:
        async def bearer(self, token: str) -> Principal:
            asked.append(token)
            return Principal("ada", Role.CUSTOMER)

    app.state.gatekeeper = Keeper()
    async with client(app, Role.CUSTOMER) as calls:
        assert 422 == (await calls.post(PREDICT, json={"titel": "x"})).status_code
        assert 403 == (await calls.post("/api/v1/verdicts", json=[])).status_code
    assert ["customer"] * 2 == asked


@pytest.mark.parametrize(("age_s", "closed"), [(59, set[Right]()), (61, SOON), (3_601, SOON | LATER)])
async def test_what_may_have_been_taken_back_is_not_gone_by_for_long(
    age_s: float, closed: set[Right], tmp_path: Path
) -> None:
    """An admin's rights are closed a minute after the store last confirmed them; what machines need stays open."""
    app, _ = gateway(tmp_path)

    class Keeper:
        async def bearer(self, _: str) -> Principal:
            return Principal("ada", Role.ADMIN, session="s", age_s=age_s)

    async def asks() -> None:
        """Asks for a right alone."""

    rights = set(Right) - {Right.PUBLIC}
    for right in rights:
        app.add_api_route(f"/probe/{right}", asks, dependencies=[Depends(Requires(right))])
    app.state.gatekeeper = Keeper()
    async with client(app, Role.ADMIN) as calls:
        answers = {right: await calls.get(f"/probe/{right}") for right in rights}
    assert closed == {right for right, answer in answers.items() if answer.status_code == 503}
    assert rights - closed == {right for right, answer in answers.items() if answer.status_code == 200}
    assert all("urn:aisle:problem:not-ready" == answers[right].json()["type"] for right in closed)


async def test_a_token_says_when_the_store_was_asked(tmp_path: Path) -> None:
    """Where the store is away from the start, nobody is an admin by a token for long; a new one makes it no younger."""
    clock, store = Clock(), Store(NOWHERE, "test")
    accounts = Accounts(store, Settings(data_dir=tmp_path), clock)
    token = accounts.token_of(Principal("ada", Role.ADMIN, session="f" * 32, age_s=30)).access_token
    clock.ahead = timedelta(minutes=2)
    who = await accounts.bearer(token)
    assert who is not None
    assert pytest.approx(150, abs=5) == who.age_s
    again = await accounts.bearer(accounts.token_of(who).access_token)
    assert again is not None
    assert pytest.approx(150, abs=5) == again.age_s
    store.close()


async def test_an_account_has_so_many_a_minute(tmp_path: Path) -> None:
    """One more is refused before its body is read, and told when to come again; others are not held up."""
    app, _ = gateway(tmp_path, gateway_predictions_per_minute=2)
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        sent += 1
        yield b"{}"

    async with client(app, Role.CUSTOMER) as calls:
        answers = [await calls.post(PREDICT, json={"titel": "x"})]
        answers += [await calls.post(f"{PREDICT}/bulk", files={"more": b""})]
        answers += [await calls.post(f"{PREDICT}{path}", content=body()) for path in ("", "/upload", "/bulk")]
        assert 404 == (await calls.get(f"{PREDICT}/none")).status_code
    assert [422, 422, 429, 429, 429] == [answer.status_code for answer in answers]
    headers = [answer.headers.get("ratelimit-remaining") for answer in answers]
    assert ["1", "0", None, None, None] == headers
    assert ("2", "30") == (answers[0].headers["ratelimit-limit"], answers[0].headers["ratelimit-reset"])
    assert 25 < int(answers[2].headers["retry-after"]) <= 30
    assert "urn:aisle:problem:too-many-requests" == answers[2].json()["type"]
    async with client(app, Role.REVIEWER) as others:
        assert 422 == (await others.post(PREDICT, json={"titel": "x"})).status_code


def test_what_was_used_comes_back_with_time() -> None:
    """A minute's worth may come at once; then as many as time gives back; 0 counts nothing."""
    now = [100.0]
    quota = Quota(60, lambda: now[0])

    def left(calls: int) -> list[int]:
        return [-1 if allowance is None else allowance.left for allowance in (quota.take("ada") for _ in range(calls))]

    assert list(range(59, -1, -1)) == left(60)
    with pytest.raises(TooMany) as refused:
        left(1)
    assert pytest.approx(1) == refused.value.retry_after_s
    now[0] += 2
    assert [1, 0] == left(2)
    with pytest.raises(TooMany):
        left(1)
    now[0] += 1_000
    assert [59] == left(1)
    assert Quota(0).take("ada") is None
