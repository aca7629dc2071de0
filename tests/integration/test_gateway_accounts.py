"""Who gets in over HTTP, who does not, and what ends, with a real store."""

import asyncio
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher

from infra.errors import StoreUnavailable
from infra.lease import utc_now
from infra.store import API_KEYS, AUDIT, SESSIONS, USERS, Store
from schemas.http.account import Role
from tests.accounts import OTHER, PASSWORD, SECRET, Gateway, Person
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.audit import Audit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def one(store: Store, tmp_path: Path) -> Gateway:
    """A gateway."""
    return Gateway(store, tmp_path)


@pytest.fixture
def another(store: Store, tmp_path: Path) -> Gateway:
    """Another one of the same cluster."""
    return Gateway(store, tmp_path)


async def test_signs_in_and_out(one: Gateway, store: Store) -> None:
    """A password opens a session whose cookie no script can read; its token ends with it, at once."""
    await one.add("ada", Role.REVIEWER)
    browser = one.browser()
    answer = await browser.post("/api/v1/auth/sign-in", json={"name": "\uff21DA", "password": PASSWORD})
    assert (200, "ada", "reviewer") == (answer.status_code, answer.json()["name"], answer.json()["role"])
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("aisle_session=", "HttpOnly", "SameSite=lax", "Path=/"))
    assert "Secure" not in cookie
    ada = Person(browser, answer.json()["access_token"])
    assert 200 == await ada.status()
    again = await browser.post("/api/v1/auth/refresh")
    assert 200 == again.status_code
    assert 204 == (await browser.post("/api/v1/auth/sign-out")).status_code
    assert 401 == await ada.status()
    assert 401 == (await browser.post("/api/v1/auth/refresh")).status_code
    kept = [one async for one in store.collection(AUDIT).find()]
    assert {"account.create", "session.begin", "session.end"} == {entry["action"] for entry in kept}


async def test_stores_no_secret(one: Gateway, store: Store) -> None:
    """Nothing in the store or the audit log opens anything: neither passwords, nor cookies, nor keys."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    made = (await ada.ask("POST", "/me/keys", json={"name": "shop"})).json()
    cookie = ada.browser.cookies["aisle_session"]
    said = [str(doc) for name in (USERS, SESSIONS, API_KEYS, AUDIT) async for doc in store.collection(name).find()]
    assert 5 <= len(said)
    for secret in (PASSWORD, cookie.partition(".")[2], made["key"].split("_", 2)[2], ada.token):
        assert not any(secret in one for one in said)


async def test_session_is_new_at_each_sign_in(one: Gateway) -> None:
    """A browser that signs in again has another session, the former one is over; a made-up cookie is none."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    before = ada.browser.cookies["aisle_session"]
    await ada.browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD})
    assert before != ada.browser.cookies["aisle_session"]
    assert 401 == await ada.status()
    for cookie in (before, "x", ".", "a.b", f"{before.partition('.')[0]}.{'x' * 43}", "\x00.\x00"):
        assert await one.accounts.session(cookie) is None


def forged(**claims: object) -> dict[str, Any]:
    """What an access token says, with changes."""
    now = utc_now()
    said: dict[str, Any] = {"iss": "aisle", "aud": "aisle-api", "iat": now, "exp": now + timedelta(minutes=5)}
    return said | {"sub": "ada", "sid": "f" * 32, "role": "admin"} | claims


async def test_refuses_forged_tokens(one: Gateway) -> None:
    """Tokens of another secret, algorithm, audience or issuer, expired or incomplete ones: nobody."""
    await one.add("ada", Role.ADMIN)
    ada = await one.sign_in("ada")
    mine = jwt.decode(ada.token, SECRET, ["HS256"], audience="aisle-api")
    assert await one.accounts.bearer(jwt.encode(forged(**mine), SECRET, "HS256")) is not None
    past = utc_now() - timedelta(minutes=1)
    bad = [jwt.encode(forged(**mine), "t" * 40, "HS256"), jwt.encode(forged(**mine), "", "none")]
    bad += [jwt.encode(forged(**mine), "s" * 64, "HS512"), f"{ada.token}x", ada.token[:-2], "", "x.y.z", "é.é.é"]
    for wrong in (
        {"aud": "else"},
        {"iss": "else"},
        {"exp": past},
        {"sid": "f" * 32},
        {"sub": "grace"},
        {"role": "root"},
        {"sid": ["$ne"]},
        {"sub": None},
    ):
        bad.append(jwt.encode(forged(**mine | wrong), SECRET, "HS256"))
    bad += [
        jwt.encode({name: value for name, value in forged(**mine).items() if name != left}, SECRET, "HS256")
        for left in mine
    ]
    assert [None] * len(bad) == [await one.accounts.bearer(token) for token in bad]


async def test_keys(one: Gateway) -> None:
    """A key has its owner's role until it is revoked or over; nobody gets a new password or key by one."""
    await one.add("ada", Role.REVIEWER)
    ada = await one.sign_in("ada")
    made = (await ada.ask("POST", "/me/keys", json={"name": "shop", "days": 2})).json()
    machine = Person(one.browser(), made["key"])
    said = (await machine.ask("GET", "/me")).json()
    assert {"name": "ada", "role": "reviewer", "key": made["id"]} == said
    listed = (await ada.ask("GET", "/me/keys")).json()["items"]
    assert [("shop", True)] == [(key["name"], key["used_at"] is not None) for key in listed]
    assert "key" not in listed[0]
    assert 403 == (await machine.ask("POST", "/me/keys", json={"name": "more"})).status_code
    change = {"current": PASSWORD, "new": OTHER}
    assert 403 == (await machine.ask("POST", "/me/password", json=change)).status_code
    assert [None] * 3 == [
        await one.accounts.bearer(key) for key in (made["key"] + "x", "aisle_", f"aisle_{'0' * 16}_x")
    ]
    one.clock.ahead = timedelta(days=2)
    assert 401 == await machine.status()
    one.clock.ahead = timedelta()
    assert 200 == await machine.status()
    await one.add("grace")
    grace = await one.sign_in("grace")
    assert 404 == (await grace.ask("DELETE", f"/me/keys/{made['id']}")).status_code
    assert 204 == (await ada.ask("DELETE", f"/me/keys/{made['id']}")).status_code
    assert 401 == await machine.status()


async def test_notes_the_use_of_a_key_once_a_minute(one: Gateway, store: Store) -> None:
    """However often a key is used, the store hears of it once a minute."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    key = (await ada.ask("POST", "/me/keys", json={"name": "shop"})).json()["key"]
    used = []
    for seconds in (0, 30, 61):
        one.clock.ahead = timedelta(seconds=seconds)
        one.accounts.changed()
        assert await one.accounts.bearer(key) is not None
        used.append((await store.collection(API_KEYS).find_one({}) or {})["used_at"])
    assert used[0] == used[1] < used[2]


async def test_hashes_follow_the_parameters(one: Gateway, store: Store) -> None:
    """Who signs in has a hash with today's parameters from then on, and the same password."""
    await one.add("ada")
    one.accounts.entrance._hasher = Hasher(PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    ada = await one.sign_in("ada")
    assert "t=2" in (await store.collection(USERS).find_one({"_id": "ada"}) or {})["password"]
    one.accounts.changed()
    assert 200 == await ada.status()
    await one.sign_in("ada")


async def test_locks_out_and_lets_in_again(one: Gateway, another: Gateway) -> None:
    """Five wrong passwords close an account to a place for 30 s at all gateways; then twice as long."""
    await one.add("ada")
    statuses = [401, 401, 401, 401, 401, 429, 429]
    for side, expected in zip(cycle((one, another)), statuses, strict=False):
        browser = side.browser()
        answer = await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": "wrong"})
        assert expected == answer.status_code
    assert 25 < int(answer.headers["retry-after"]) <= 30
    answer = await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD})
    assert 429 == answer.status_code
    one.clock.ahead = timedelta(seconds=31)
    browser = one.browser()
    assert 401 == (await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": "wrong"})).status_code
    answer = await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD})
    assert 55 < int(answer.headers["retry-after"]) <= 60
    one.clock.ahead = timedelta(seconds=95)
    await one.sign_in("ada")
    assert 401 == (await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": "wrong"})).status_code
    await one.sign_in("ada")


async def _tries(browser: httpx.AsyncClient, password: str = PASSWORD) -> int:
    answer = await browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": password})
    return answer.status_code


async def test_nobody_can_lock_out_the_owner(one: Gateway, another: Gateway, store: Store) -> None:
    """However many guess from wherever: from a browser, or an address, where she has signed in she still can."""
    await one.add("ada", Role.ADMIN)
    hers = one.browser("10.0.0.1")
    assert 200 == await _tries(hers)
    statuses = [
        [await _tries(side.browser(f"10.6.6.{number}"), "wrong") for _ in range(6)]
        for number, side in zip(range(4), cycle((one, another)), strict=False)
    ]
    assert [[401] * 5 + [429]] * 4 == statuses
    assert [429, 429] == [await _tries(side.browser("10.7.7.7")) for side in (one, another)]  # the right one, too
    assert 200 == await _tries(another.browser("10.0.0.1"))
    assert [401] * 5 + [429] == [await _tries(one.browser("10.0.0.1"), "wrong") for _ in range(6)]
    assert 429 == await _tries(one.browser("10.0.0.1"))
    assert 200 == await _tries(hers)  # guessed at from her own address, too
    elsewhere = another.browser("10.8.8.8")
    elsewhere.cookies = hers.cookies
    assert 200 == await _tries(elsewhere)
    one.clock.ahead = timedelta(seconds=31)
    assert [401, 429] == [await _tries(one.browser(f"10.7.7.{number}"), "wrong") for number in range(2)]
    locks = [entry["after"]["for"] async for entry in store.collection(AUDIT).find({"action": "account.lock"})]
    assert {"one place", "new places"} == set(locks)
    assert "10.0.0.1" not in str([user async for user in store.collection(USERS).find()])


async def test_a_known_browser_has_a_count_of_its_own(one: Gateway) -> None:
    """Its cookie is no way to guess further; and somebody who is signed in has one for the current password."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    assert [401] * 5 + [429] == [await _tries(ada.browser, "wrong") for _ in range(6)]
    assert 200 == await _tries(one.browser())
    change = {"current": "wrong", "new": OTHER}
    statuses = [(await ada.ask("POST", "/me/password", json=change)).status_code for _ in range(6)]
    assert [422] * 5 + [429] == statuses


async def test_guesses_at_once_are_counted_each(one: Gateway) -> None:
    """Of many guesses that come at the same moment, no more are answered than one after the other."""
    await one.add("ada")
    async with one.browser() as browser:
        guesses = [browser.post("/api/v1/auth/sign-in", json={"name": "ada", "password": f"{i}"}) for i in range(12)]
        statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert statuses.count(401) <= 5
    assert {401, 429} == set(statuses)


async def test_unknown_names_are_like_known_ones(one: Gateway) -> None:
    """Neither the answers nor the lockout tell whether there is an account of a name."""
    await one.add("ada")
    async with one.browser() as browser:
        said = [
            [
                (answer.status_code, answer.json()["detail"])
                for _ in range(6)
                for answer in [await browser.post("/api/v1/auth/sign-in", json={"name": name, "password": "wrong"})]
            ]
            for name in ("ada", "nobody")
        ]
    assert said[0] == said[1]
    assert [401] * 5 + [429] == [status for status, _ in said[0]]


async def test_counts_tries_of_an_address(store: Store, tmp_path: Path) -> None:
    """One address cannot try without end, whatever names it takes."""
    few = Gateway(store, tmp_path, gateway_tries_per_minute=3)
    async with few.browser() as browser:
        answers = [
            await browser.post("/api/v1/auth/sign-in", json={"name": f"n{i}", "password": "wrong"}) for i in range(4)
        ]
    assert [401, 401, 401, 429] == [answer.status_code for answer in answers]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_another_password_ends_the_other_sessions(one: Gateway, another: Gateway) -> None:
    """All that somebody else may have opened is over with the old password; the own session goes on."""
    await one.add("ada")
    here, elsewhere = await one.sign_in("ada"), await another.sign_in("ada")
    change = {"current": "wrong", "new": OTHER}
    assert "password-wrong" in (await here.ask("POST", "/me/password", json=change)).json()["type"]
    change = {"current": PASSWORD, "new": "password1234"}
    assert "password-refused" in (await here.ask("POST", "/me/password", json=change)).json()["type"]
    change = {"current": PASSWORD, "new": OTHER}
    assert 204 == (await here.ask("POST", "/me/password", json=change)).status_code
    assert 200 == await here.status()
    assert 200 == (await here.browser.post("/api/v1/auth/refresh")).status_code
    another.accounts.changed()  # as five seconds do
    assert 401 == await elsewhere.status()
    assert 401 == (await elsewhere.browser.post("/api/v1/auth/refresh")).status_code
    wrong = await one.browser().post("/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD})
    assert 401 == wrong.status_code
    await one.sign_in("ada", OTHER)
    sessions = (await here.ask("GET", "/me/sessions")).json()["items"]
    assert [False, True] == sorted(session["current"] for session in sessions)
    assert 204 == (await here.ask("DELETE", "/me/sessions")).status_code
    assert 1 == len((await here.ask("GET", "/me/sessions")).json()["items"])


async def test_sessions_last_as_long_as_they_are_used(one: Gateway) -> None:
    """A session that is used lasts on; one that is not is over after the days that the settings say."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    for days in (10, 20):
        one.clock.ahead = timedelta(days=days)
        one.accounts.changed()
        assert 200 == (await ada.browser.post("/api/v1/auth/refresh")).status_code
    one.clock.ahead = timedelta(days=34, minutes=1)
    assert 401 == (await ada.browser.post("/api/v1/auth/refresh")).status_code


async def test_other_sites_cannot_use_the_cookie(one: Gateway) -> None:
    """What a page of another site makes the browser ask is refused before anything happens."""
    await one.add("ada")
    ada = await one.sign_in("ada")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        for path in ("sign-in", "sign-out", "refresh", "sign-up", "accept"):
            answer = await ada.browser.post(f"/api/v1/auth/{path}", headers=headers, json={})
            assert 403 == answer.status_code
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "http://gateway"}
    assert 200 == (await ada.browser.post("/api/v1/auth/refresh", headers=ours)).status_code


async def test_goes_on_while_the_store_is_away(one: Gateway, another: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in use stays good, a token also where nobody has seen it; others wait (503). One can always sign out."""
    await one.add("ada", Role.REVIEWER)
    ada = await one.sign_in("ada")
    key = (await ada.ask("POST", "/me/keys", json={"name": "shop"})).json()["key"]
    machine = Person(one.browser(), key)
    assert [200, 200] == [await ada.status(), await machine.status()]

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("No MongoDB server answers.")

    for side in (one, another):
        monkeypatch.setattr(side.accounts._standings, "_get", away)
        side.accounts.changed()
    monkeypatch.setattr(Audit, "note", away)
    assert [200, 200] == [await ada.status(), await machine.status()]
    assert 200 == (await ada.browser.post("/api/v1/auth/refresh")).status_code
    stranger = Person(another.browser(), ada.token)
    said = (await stranger.ask("GET", "/me")).json()
    assert ("ada", "reviewer") == (said["name"], said["role"])
    assert 503 == await Person(another.browser(), key).status()
    for browser in (ada.browser, another.browser(cookie=f"aisle_session={ada.browser.cookies['aisle_session']}")):
        answer = await browser.post("/api/v1/auth/sign-out")
        assert (503, "urn:aisle:problem:session-stays") == (answer.status_code, answer.json()["type"])
        assert 'aisle_session="";' in answer.headers["set-cookie"]
    assert "aisle_session" not in ada.browser.cookies
    over = jwt.encode(forged(sub="ada", exp=utc_now() - timedelta(minutes=1)), SECRET, "HS256")
    assert 401 == await Person(another.browser(), over).status()
