"""How accounts come about, change and go, with a real store."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.lease import utc_now
from infra.settings import load_settings
from infra.store import Store
from schemas.errors import AisleError
from schemas.http.account import Role
from scripts.users import command
from tests.accounts import OTHER, PASSWORD, Gateway, Person
from tests.integration.conftest import Services
from workers.gateway.accounts.doer import Doer
from workers.gateway.errors import NameTaken
from workers.gateway.review.claims import CLAIMED_FOR, Claims

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def one(store: Store, tmp_path: Path) -> Gateway:
    """A gateway."""
    return Gateway(store, tmp_path)


@pytest.fixture
def another(store: Store, tmp_path: Path) -> Gateway:
    """Another one of the same cluster."""
    return Gateway(store, tmp_path)


async def test_first_admin_comes_by_a_link_once(one: Gateway, another: Gateway) -> None:
    """Each gateway shows a link while there is no admin; of all uses at once, of any link, one makes an admin."""
    links = [await side.accounts.first_link() for side in (one, another)]
    tokens = [link.partition("token=")[2] for link in links if link is not None]
    assert 2 == len(set(tokens))
    uses = [
        side.browser().post("/api/v1/auth/accept", json={"token": token, "name": f"root{i}{j}", "password": PASSWORD})
        for i, side in enumerate((one, another))
        for j, token in enumerate(tokens * 2)
    ]
    answers = await asyncio.gather(*uses)
    assert [200] + [422] * 7 == sorted(answer.status_code for answer in answers)
    first = next(answer.json() for answer in answers if answer.status_code == 200)
    assert "admin" == first["role"]
    assert 1 == len(await one.accounts.administration.page(10))
    assert await another.accounts.first_link() is None


async def test_first_link_lasts_a_day(one: Gateway) -> None:
    """A link that lay about for longer than a day is worth nothing."""
    link = await one.accounts.first_link()
    assert link is not None
    one.clock.ahead = timedelta(days=1, seconds=1)
    body = {"token": link.partition("token=")[2], "name": "root", "password": PASSWORD}
    assert 422 == (await one.browser().post("/api/v1/auth/accept", json=body)).status_code


async def test_first_link_ends_with_the_first_admin(one: Gateway) -> None:
    """A link that nobody used is worth nothing once there is an admin, however that came about."""
    link = await one.accounts.first_link("http://gateway:1")
    assert link is not None
    assert link.startswith("http://gateway:1/welcome?token=.")
    await one.add("root", Role.ADMIN)
    body = {"token": link.partition("token=")[2], "name": "ada", "password": PASSWORD}
    assert 422 == (await one.browser().post("/api/v1/auth/accept", json=body)).status_code


async def test_a_name_is_given_once(one: Gateway) -> None:
    """Of many who make an account of the same name at once, one does."""
    adding = [one.accounts.administration.users.add("ada", role, None, role) for role in [*Role] * 3]
    made = await asyncio.gather(*adding, return_exceptions=True)
    assert 8 == sum(isinstance(one, NameTaken) for one in made)
    assert [user for user in made if not isinstance(user, NameTaken)] == [
        await one.accounts.administration.users.get("ada")
    ]


async def test_invitation(one: Gateway) -> None:
    """An admin makes an account, whoever has its link chooses the password, once; a later link replaces a password."""
    await one.add("root", Role.ADMIN)
    root = await one.sign_in("root")
    made = (await root.ask("POST", "/users", json={"name": "Ada", "role": "reviewer"})).json()
    assert ("ada", True) == (made["user"]["name"], made["user"]["invited"])
    body = {"token": made["invitation"]["token"], "password": PASSWORD}
    async with one.browser() as browser:
        for wrong in ({"name": "grace"}, {"token": body["token"] + "x"}, {"token": "YWRh.x"}, {"token": "AA.x"}):
            assert 422 == (await browser.post("/api/v1/auth/accept", json=body | wrong)).status_code
        uses = [browser.post("/api/v1/auth/accept", json=body) for _ in range(3)]
        assert [200, 422, 422] == sorted(answer.status_code for answer in await asyncio.gather(*uses))
    ada = await one.sign_in("ada")
    again = (await root.ask("POST", "/users/ada/invitation")).json()
    answer = await one.browser().post("/api/v1/auth/accept", json={"token": again["token"], "password": OTHER})
    assert 200 == answer.status_code
    one.accounts.changed()
    assert 401 == await ada.status()
    assert 409 == (await root.ask("POST", "/users", json={"name": "ADA", "role": "admin"})).status_code


async def test_an_admins_word_counts_within_seconds(one: Gateway, another: Gateway) -> None:
    """Another role, a shut account and a deleted one are so for tokens, cookies and keys that are in use."""
    await one.add("root", Role.ADMIN)
    await one.add("ada", Role.REVIEWER)
    root, ada = await one.sign_in("root"), await one.sign_in("ada")
    key = (await ada.ask("POST", "/me/keys", json={"name": "shop"})).json()["key"]
    assert "reviewer" == (await ada.ask("GET", "/me")).json()["role"]
    assert 200 == (await root.ask("PATCH", "/users/ada", json={"role": "customer"})).status_code
    assert "customer" == (await ada.ask("GET", "/me")).json()["role"]
    assert 200 == (await root.ask("PATCH", "/users/ada", json={"disabled": True})).status_code
    assert [401, 401] == [await ada.status(), await Person(one.browser(), key).status()]
    assert (
        401
        == (await one.browser().post("/api/v1/auth/sign-in", json={"name": "ada", "password": PASSWORD})).status_code
    )
    assert 200 == (await root.ask("PATCH", "/users/ada", json={"disabled": False})).status_code
    assert [401, 200] == [await ada.status(), await Person(one.browser(), key).status()]
    assert 204 == (await root.ask("DELETE", "/users/ada")).status_code
    assert 401 == await Person(another.browser(), key).status()
    assert 409 == (await root.ask("POST", "/users", json={"name": "ada", "role": "customer"})).status_code
    assert ["root"] == [user["name"] for user in (await root.ask("GET", "/users")).json()["items"]]
    assert 404 == (await root.ask("PATCH", "/users/ada", json={"role": "admin"})).status_code


@pytest.mark.parametrize("ask", [("PATCH", {"role": "customer"}), ("PATCH", {"disabled": True}), ("DELETE", None)])
async def test_who_reviews_no_more_keeps_no_items_from_others(
    one: Gateway, store: Store, ask: tuple[str, dict[str, Any] | None]
) -> None:
    """Their claims end with their right, not minutes later; another's stay."""
    await one.add("root", Role.ADMIN)
    await one.add("ada", Role.REVIEWER)
    claims, now = Claims(store), utc_now()
    assert ["a", "b"] == await claims.take(["a", "b"], "ada", {})
    assert ["c"] == await claims.take(["c"], "bob", {})
    assert (await (await one.sign_in("root")).ask(ask[0], "/users/ada", json=ask[1])).is_success
    held = {key for key, claim in (await claims.known("abc")).items() if claims.is_held(claim)}
    assert ({"c"}, True) == (held, utc_now() - now < CLAIMED_FOR)


async def test_the_last_admin_stays(one: Gateway, another: Gateway) -> None:
    """The last admin is neither demoted nor shut nor deleted; nor are the last two, each by the other at once."""
    await one.add("root", Role.ADMIN)
    root = await one.sign_in("root")
    for ask in (("PATCH", {"role": "customer"}), ("PATCH", {"disabled": True}), ("DELETE", None)):
        answer = await root.ask(ask[0], "/users/root", **({} if ask[1] is None else {"json": ask[1]}))
        assert (409, "urn:aisle:problem:last-admin") == (answer.status_code, answer.json()["type"])
    one.accounts.changed()
    assert 200 == await root.status()
    await one.add("ada", Role.ADMIN)
    ada = await another.sign_in("ada")
    for _ in range(5):
        changes = [
            root.ask("PATCH", "/users/ada", json={"role": "reviewer"}),
            ada.ask("PATCH", "/users/root", json={"role": "reviewer"}),
        ]
        await asyncio.gather(*changes)
        admins = [user.name for user in await one.accounts.administration.page(9) if user.role is Role.ADMIN]
        assert admins
        for name in {"ada", "root"} - set(admins):
            await one.accounts.administration.change(name, Role.ADMIN, Doer("test"))
        one.accounts.changed()
        another.accounts.changed()


async def test_pages_of_users(one: Gateway) -> None:
    """A long list of accounts comes in pages, each account once."""
    await one.add("root", Role.ADMIN)
    for i in range(4):
        await one.accounts.administration.add(f"user{i}", Role.CUSTOMER, Doer("test"))
    root = await one.sign_in("root")
    first = (await root.ask("GET", "/users", params={"limit": 3})).json()
    rest = (await root.ask("GET", "/users", params={"limit": 3, "cursor": first["next"]})).json()
    names = [user["name"] for page in (first, rest) for user in page["items"]]
    assert (["root", "user0", "user1", "user2", "user3"], None) == (names, rest["next"])


async def test_sign_up_is_off_until_it_is_set(store: Store, one: Gateway, tmp_path: Path) -> None:
    """Nobody makes an account by himself where the settings do not say so; where they do, it is a customer's."""
    body = {"name": "ada", "password": PASSWORD}
    assert 403 == (await one.browser().post("/api/v1/auth/sign-up", json=body)).status_code
    open_one = Gateway(store, tmp_path, gateway_sign_up=True, gateway_url="https://aisle.example.org")
    answer = await open_one.browser().post("/api/v1/auth/sign-up", json=body)
    assert (201, "customer") == (answer.status_code, answer.json()["role"])
    assert "Secure" in answer.headers["set-cookie"]
    assert 409 == (await open_one.browser().post("/api/v1/auth/sign-up", json=body)).status_code


async def test_command(services: Services, store: Store, one: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """`aisle users` makes and changes accounts without a gateway, says what is wrong, and shows no password."""
    monkeypatch.setenv("AISLE_MONGODB_URI", services.mongodb_uri)
    monkeypatch.setenv("AISLE_MONGODB_DATABASE", store._database.name)
    load_settings.cache_clear()

    async def run(*arguments: str, typed: str = "") -> str:
        result = await asyncio.to_thread(CliRunner().invoke, command, arguments, input=typed)
        said = result.output + (str(result.exception) if isinstance(result.exception, AisleError) else "")
        assert PASSWORD not in said
        return said

    assert "no accounts" in await run("list")
    assert "root is made" in await run("add", "ROOT", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "12 to 200" in await run("add", "ada", typed="short\nshort\n")
    assert "is taken" in await run("add", "root", "--invite")
    made = json.loads(await run("add", "ada", "--role", "reviewer", "--invite", "--json"))
    assert ("ada", True) == (made["user"]["name"], made["user"]["invited"])
    body = {"token": made["invitation"]["token"], "password": PASSWORD}
    assert 200 == (await one.browser().post("/api/v1/auth/accept", json=body)).status_code
    assert "another password" in await run("password", "ada", typed=f"{OTHER}\n{OTHER}\n")
    ada = await one.sign_in("ada", OTHER)
    for change, expected in ((("role", "ada", "customer"), "customer"), (("disable", "ada"), None)):
        await run(*change)
        one.accounts.changed()
        assert expected == (await ada.ask("GET", "/me")).json().get("role")
    assert "is enabled" in await run("enable", "ada")
    assert "last admin" in await run("disable", "root")
    assert "last admin" in await run("remove", "root", "--yes")
    assert "no account nobody" in await run("role", "nobody", "admin")
    assert "is deleted" in await run("remove", "ada", typed="y\n")
    assert ["root"] == [user["name"] for user in json.loads(await run("list", "--json"))]
    load_settings.cache_clear()
