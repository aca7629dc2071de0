"""The pages: who sees which, in which language, and that nothing in them runs but our own files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from infra.errors import StoreUnavailable
from schemas.asyncapi import asyncapi
from schemas.http.account import Role
from schemas.topics import PRODUCTS_IN
from tests.gateway import client, gateway
from workers.gateway.access import PERMISSIONS, Principal, Right
from workers.gateway.pages import assets, routes, texts
from workers.gateway.pages.topics import topics
from workers.gateway.pages.visits import Visit, way_back

PAGES = Path(routes.__file__).parent
EVENT = "0b8e0000-0000-4000-8000-000000000001"
RIGHTS = {
    "/": Right.ACCOUNT,
    "/account": Right.ACCOUNT,
    "/classify": Right.PREDICT,
    "/files": Right.PREDICT,
    "/items": Right.PREDICT,
    "/items/{event_id}": Right.PREDICT,
    "/review": Right.REVIEW,
    "/live": Right.WATCH,
    "/dashboard": Right.WATCH,
    "/models": Right.WATCH,
    "/models/{version}/report": Right.WATCH,
    "/drift/{day}/{name}": Right.WATCH,
    "/dead-letters": Right.WATCH,
    "/users": Right.ADMINISTER,
    "/audit": Right.ADMINISTER,
    "/sign-in": Right.PUBLIC,
    "/sign-up": Right.PUBLIC,
    "/welcome": Right.PUBLIC,
    "/docs": Right.PUBLIC,
    "/topics": Right.PUBLIC,
}
SHOWN = [
    path
    for path in RIGHTS
    if path not in {"/", "/sign-in", "/sign-up"} and "{version}" not in path and "{day}" not in path
]
SCRIPTS = sorted((PAGES / "static").rglob("*.js"))
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """A gateway whose callers' sessions are named as their roles."""
    return gateway(tmp_path)[0]


def at(path: str) -> str:
    """A page's address."""
    return path.format(event_id=EVENT, version="v1")


def cookie(role: Role | str | None) -> dict[str, str]:
    """The headers of a visitor."""
    return {} if role is None else {"Cookie": f"aisle_session={role}"}


def test_each_page_is_listed_with_its_right() -> None:
    """A new page is seen by nobody until it stands in the table of this test."""
    found = {
        route.path: [one.call.right for one in route.dependant.dependencies if isinstance(one.call, Visit)]
        for route in routes.router.routes
        if isinstance(route, APIRoute)
    }
    assert {path: [right] for path, right in RIGHTS.items()} == found


@pytest.mark.parametrize("role", [None, *Role])
async def test_pages_are_for_those_who_have_the_right(app: FastAPI, role: Role | None) -> None:
    """Others are sent to sign in and back, or told plainly that it is not for their role."""
    async with client(app) as calls:
        for path in SHOWN:
            answer = await calls.get(at(path), headers=cookie(role))
            right = RIGHTS[path]
            if right is Right.PUBLIC or (role is not None and role in PERMISSIONS[right]):
                assert (path, 200) == (path, answer.status_code)
            elif role is None:
                assert (303, f"/sign-in?next={at(path)}") == (answer.status_code, answer.headers["location"])
            else:
                assert (path, 403) == (path, answer.status_code)
                assert "text/html; charset=utf-8" == answer.headers["content-type"]
                assert "Not for your role" in answer.text


@pytest.mark.parametrize(
    ("role", "home"), [(Role.CUSTOMER, "/classify"), (Role.REVIEWER, "/review"), (Role.ADMIN, "/review")]
)
async def test_work_begins_where_the_role_has_it(app: FastAPI, role: Role, home: str) -> None:
    """And who is signed in already does not see the sign-in page again."""
    async with client(app) as calls:
        assert home == (await calls.get("/", headers=cookie(role))).headers["location"]
        assert "/live" == (await calls.get("/sign-in?next=/live", headers=cookie(role))).headers["location"]


@pytest.mark.parametrize(
    "asked",
    [None, "", "https://evil.example", "//evil.example", "/\\evil.example", "/a\\b", "/a\nb", "javascript:alert(1)"],
)
def test_the_way_back_stays_here(asked: str | None) -> None:
    """A link to the sign-in page cannot lead to another site behind it."""
    assert "/" == way_back(asked)
    assert "/items?text=a" == way_back("/items?text=a")


async def test_sign_up_is_there_by_setting_only(tmp_path: Path) -> None:
    """Off by default: neither the page nor a link to it."""
    shut, _ = gateway(tmp_path)
    open_, _ = gateway(tmp_path, gateway_sign_up=True)
    async with client(shut) as calls:
        assert "/sign-in" == (await calls.get("/sign-up")).headers["location"]
        assert "/sign-up" not in (await calls.get("/sign-in")).text
    async with client(open_) as calls:
        assert 200 == (await calls.get("/sign-up")).status_code
        assert "/sign-up" in (await calls.get("/sign-in")).text


class Away:
    """A gatekeeper whose store is away."""

    async def bearer(self, _token: str) -> Principal | None:
        """Cannot tell."""
        raise StoreUnavailable("away")

    session = bearer


async def test_a_store_that_is_away_is_said_plainly(app: FastAPI) -> None:
    """A page that comes back by itself; signing in and the API's page are shown all the same."""
    app.state.gatekeeper = Away()
    async with client(app) as calls:
        answer = await calls.get("/review", headers=cookie(Role.ADMIN) | {"Accept-Language": "fr"})
        assert 503 == answer.status_code
        assert "La base de données est absente" in answer.text
        assert "recover.js" in answer.text
        for path in ("/sign-in", "/docs"):
            assert 200 == (await calls.get(path, headers=cookie(Role.ADMIN))).status_code


async def test_people_who_are_lost_get_a_page_and_machines_a_problem(app: FastAPI) -> None:
    """By what they accept; below the API's paths always problem details."""
    html = {"Accept": "text/html"}
    async with client(app) as calls:
        assert "No such page" in (await calls.get("/nothing", headers=html)).text
        assert "No such page" in (await calls.get("/items/no-uuid", headers=cookie(Role.ADMIN))).text
        for path, headers in (("/nothing", {}), ("/api/v1/nothing", html)):
            answer = await calls.get(path, headers=headers)
            assert "application/problem+json" == answer.headers["content-type"]


@pytest.mark.parametrize(
    ("query", "cookies", "accept", "language"),
    [
        ("", "", "", "en"),
        ("", "", "de;q=0.9, fr-CA;q=0.8, en;q=0.1", "fr"),
        ("", "aisle_lang=fr", "en", "fr"),
        ("?lang=en", "aisle_lang=fr", "fr", "en"),
        ("?lang=xx", "aisle_lang=../en", "fr;q=x, *", "en"),
    ],
)
async def test_the_language_is_the_visitors(app: FastAPI, query: str, cookies: str, accept: str, language: str) -> None:
    """By the address, which is remembered, by the cookie, by the browser; else English."""
    async with client(app) as calls:
        answer = await calls.get(f"/sign-in{query}", headers={"Cookie": cookies, "Accept-Language": accept})
    assert f'<html lang="{language}"' in answer.text
    assert ("aisle_lang" in answer.headers.get("set-cookie", "")) == (query == "?lang=en")


def leaves(language: str) -> dict[str, str | dict[str, str]]:
    """All texts by ``section.key``."""
    said = texts.texts(language)
    return {f"{section}.{key}": value for section, keys in said.items() for key, value in keys.items()}  # type: ignore[misc]


def test_both_languages_say_the_same_things() -> None:
    """The same keys, with the same forms and the same values in them; nothing is empty."""
    english, french = leaves("en"), leaves("fr")
    assert sorted(english) == sorted(french)
    for key, one in english.items():
        other = french[key]
        assert isinstance(one, dict) == isinstance(other, dict), key
        for form in ("one", "other") if isinstance(one, dict) else ("",):
            mine = one[form] if isinstance(one, dict) else one
            theirs = other[form] if isinstance(other, dict) else other
            assert mine.strip(), key
            assert theirs.strip(), key
            if form != "one":  # "one verdict" needs no figure
                assert set(re.findall(r"{\w+}", mine)) == set(re.findall(r"{\w+}", theirs)), key


def used() -> Iterator[tuple[str, str]]:
    """Every literal key in templates and scripts, with its file."""
    for path in (*TEMPLATES, *SCRIPTS):
        source = path.read_text(encoding="utf-8")
        for key in re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", source):
            if key.partition(".")[0] in texts.texts("en") and not key.endswith((".css", ".html", ".js")):
                yield path.name, key.rstrip("_")


def test_every_text_that_is_used_is_there() -> None:
    """In templates and scripts; a prefix counts where words for the values behind it exist."""
    known = set(leaves("en"))
    missing = {
        (name, key) for name, key in used() if key not in known and not any(k.startswith(f"{key}_") for k in known)
    }
    assert set() == missing


def test_no_text_is_left_over() -> None:
    """What nobody says any more is deleted."""
    keys = {key for _, key in used()}
    titles = {"failure.forbidden", "failure.missing", "failure.refused", "failure.away"}
    by_value = ("menu.", "problem.", "failure.", "common.role_", "items.state_", "dead_letters.st", "models.metric_")
    assert set() == {
        key
        for key in leaves("en")
        if key not in keys | titles
        and not key.startswith(by_value)
        and not key.endswith(".title")
        and not any(key.startswith(f"{one}_") for one in keys)
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_script_or_style_of_their_own(path: Path) -> None:
    """The policy forbids them; scripts and styles are files, and nothing turns escaping off."""
    source = path.read_text(encoding="utf-8")
    for tag in re.findall(r"<script[^>]*>", source):
        assert 'src="{{ asset(' in tag
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|autoescape false", source, re.IGNORECASE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_of_texts(path: Path) -> None:
    """Whatever a title says, it stays text; and each import is a file that is there."""
    source = path.read_text(encoding="utf-8")
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert not re.search(markup + r"|https?://(?!www\.w3\.org/2000/svg)", source)
    for name in re.findall(r'from "([^"]+)"', source):
        assert (path.parent / name).resolve().is_file(), name


HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.parametrize("path", ["/sign-in?next=/{}", "/welcome?token={}", "/items?text={}", "/sign-in?lang=en&x={}"])
async def test_what_an_address_says_stays_text(app: FastAPI, path: str) -> None:
    """It comes back escaped, or not at all."""
    async with client(app) as calls:
        answer = await calls.get(path.format(HOSTILE), headers=cookie(Role.ADMIN if "items" in path else None))
    assert 200 == answer.status_code
    assert "<script>alert" not in answer.text


class Stranger:
    """A gatekeeper whose one account has a hostile name."""

    async def bearer(self, _token: str) -> Principal | None:
        """That account."""
        return Principal(HOSTILE, Role.ADMIN)

    session = bearer


async def test_what_a_name_says_stays_text(app: FastAPI) -> None:
    """On every page, as each shows the account's name."""
    app.state.gatekeeper = Stranger()
    async with client(app) as calls:
        for path in (path for path in SHOWN if path != "/welcome"):
            said = (await calls.get(at(path), headers=cookie("x"))).text
            assert "&#34;&gt;&lt;script&gt;alert" in said, path
            assert "<script>alert" not in said, path


async def test_files_are_kept_for_good_by_their_state(app: FastAPI) -> None:
    """Another state's are given, not kept; what is no file of the pages is not there."""
    async with client(app) as calls:
        for name in ("base.css", "shell.js", "icon.svg", "texts.fr.js", "swagger/swagger-ui-bundle.js"):
            answer = await calls.get(assets.address(name))
            assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
            assert not answer.headers["content-type"].startswith("text/plain")
            assert answer.content
        assert "no-store" == (await calls.get("/static/other/base.css")).headers["cache-control"]
        for name in ("%2e%2e/routes.py", "%2e%2e%2froutes.py", "texts/en.toml", "nothing.js"):
            assert 404 == (await calls.get(f"/static/{assets.digest()}/{name}")).status_code


async def test_the_theme_is_the_visitors(app: FastAPI) -> None:
    """As the switch left it; anything else in the cookie is passed over."""
    async with client(app) as calls:
        dark = await calls.get("/sign-in", headers={"Cookie": "aisle_theme=dark"})
        other = await calls.get("/sign-in", headers={"Cookie": 'aisle_theme="x onload=y"'})
    assert 'data-theme="dark"' in dark.text
    assert "data-theme" not in other.text


async def test_no_page_loosens_the_policy(app: FastAPI) -> None:
    """Scripts and styles are files of ours on every page, Swagger UI's included."""
    async with client(app) as calls:
        for path in SHOWN:
            policy = (await calls.get(at(path), headers=cookie(Role.ADMIN))).headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "script-src 'self'; style-src 'self';" in policy


async def test_the_page_of_the_topics_says_all_that_the_document_says(app: FastAPI) -> None:
    """Every topic with its key, its headers and every field of its value, those within others by their path."""
    async with client(app) as calls:
        page = (await calls.get("/topics")).text
        document = (await calls.get("/api/v1/asyncapi.json")).json()
    assert asyncapi() == document
    for channel in document["channels"].values():
        assert f'id="{channel["address"]}"' in page
    for message in document["components"]["messages"].values():
        assert all(f"<code>{name}</code>" in page for name in message["headers"]["properties"])
    for model in document["components"]["schemas"].values():
        for name in model["properties"]:
            assert re.search(rf"<code>(?:[\w\[\].]+\.)?{name}</code>", page), name
    assert "<code>top[].probability</code>" in page
    products = next(one for one in topics() if one.name == PRODUCTS_IN)
    assert [("product_id", True), ("title", False)] == [(one.name, one.needed) for one in products.fields[:2]]
    assert all(one.text for one in products.fields)
