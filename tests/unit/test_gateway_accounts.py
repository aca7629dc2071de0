"""The parts of accounts that need no store: names, passwords, pauses, secrets, tokens, links, addresses."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from infra.errors import SettingsInvalid
from infra.settings import Settings
from schemas.http.account import LONGEST_NAME, Role, normal_name
from workers.gateway.access import PERMISSIONS, Right
from workers.gateway.accounts import keys, sessions
from workers.gateway.accounts.addresses import Addresses
from workers.gateway.accounts.cookies import refuse_other_sites
from workers.gateway.accounts.devices import Caller, Devices
from workers.gateway.accounts.links import link_of, name_in, new_token
from workers.gateway.accounts.lockout import NobodysTries, Record, Source, Tries, pause_after
from workers.gateway.accounts.passwords import Hasher, checked, normal
from workers.gateway.accounts.secrets import signing_secret
from workers.gateway.accounts.tokens import Claims, Tokens
from workers.gateway.errors import AccountLocked, CrossSite, PasswordRefused, TooMany

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@given(st.text(max_size=LONGEST_NAME))
def test_names_have_one_form(name: str) -> None:
    """The form of a name is a form of itself, printable and short, or there is none."""
    try:
        form = normal_name(name)
    except ValueError:
        return
    assert form == normal_name(form)
    assert form.isprintable()
    assert 1 <= len(form) <= LONGEST_NAME


def test_capitals_do_not_matter() -> None:
    """Whoever types a name in another way means the same account."""
    assert ["ada", "strasse", "zo\u00e9"] == [normal_name(name) for name in ("ADA", "Stra\u00dfe", "Zoe\u0301")]


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "a\0", "$ne", "a:b", "x" * 65, "<b>", "a\u200bb", "..%2f"])
def test_names_are_plain(name: str) -> None:
    """Nothing is a name that means something in a path, a query, a page or a terminal."""
    with pytest.raises(ValueError, match="letters, digits"):
        normal_name(name)


@pytest.mark.parametrize(
    "password",
    [
        "eleven char",
        "x" * 201,
        "Password1234",
        "aaaaaaaaaaaa",
        "ababababababab",
        "ada.lovelace",
        "ecalevol.ada",
        "ﷺ" * 20,
    ],
)
def test_refuses_passwords_that_are_guessed(password: str) -> None:
    """Too short, too long, among the commonest, or the name: refused."""
    with pytest.raises(PasswordRefused):
        checked(password, "ada.lovelace")


@pytest.mark.parametrize(
    "password", ["nine tall lamps", "            x2y", "ééééééééééé à", "1234567890ab!", "x\0" * 6 + "y"]
)
def test_asks_for_no_kinds_of_characters(password: str) -> None:
    """Whatever else is long enough is a password, spaces and all."""
    assert normal(password) == checked(password, "ada")


async def test_hashes_are_right_for_one_password_only() -> None:
    """Only the password itself, however typed, is right; without a hash nothing is; old parameters show."""
    cheap = Hasher(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    hashed = await cheap.hash(normal("cafe\u0301 au lait"))
    tried = ["caf\u00e9 au lait", "cafe\u0301 au lait", "cafe au lait", "Caf\u00e9 au lait", ""]
    assert [True, True, False, False, False] == [await cheap.is_right(one, hashed) for one in tried]
    assert not await cheap.is_right("", None)
    assert not await cheap.is_right("x", "no hash")
    assert hashed.startswith("$argon2id$")
    assert (False, True) == (cheap.is_outdated(hashed), Hasher().is_outdated(hashed))


def test_pauses_grow_and_end() -> None:
    """No pause before five failures, then 30 s, twice as long each time, never more than 15 min."""
    assert [0, 30, 60, 120, 240, 480, 900, 900] == [pause_after(n).total_seconds() for n in range(4, 12)]
    assert timedelta(minutes=15) == pause_after(10**6)
    tries, at = Tries(), AT
    for _ in range(50):
        tries.check(at)
        tries = tries.failed(at)
        at = tries.locked_until or at
    assert at - AT > timedelta(hours=10)
    assert 1 == tries.failed(at + timedelta(days=2)).failures
    with pytest.raises(AccountLocked) as locked:
        tries.check(at - timedelta(seconds=7))
    assert 7 == locked.value.retry_after_s


def test_names_of_nobody_are_forgotten_some_day() -> None:
    """However many names are tried, the latest 10,000 are remembered."""
    nobodys, source = NobodysTries(), Source("a", "a", trusted=False)
    for number in range(10_005):
        nobodys.failed(str(number), source, AT)
    assert ([], ["a"]) == (list(nobodys.of("4").sources), list(nobodys.of("5").sources))
    assert 10_000 == len(nobodys._tries)


def test_wrong_passwords_are_kept_of_so_many_places() -> None:
    """The latest fifty, those of the last day; of the addresses that are known, the latest ten."""
    record = Record()
    for number in range(60):
        record = record.failed(Source(f"s{number}", f"s{number}", trusted=False), AT)
    assert (50, 60, 60) == (len(record.sources), record.strangers.failures, record.version)
    late = Source("late", "late", trusted=False)
    assert ["late"] == list(record.failed(late, AT + timedelta(days=2)).sources)
    for number in range(12):
        record = record.succeeded(Source(f"d{number}", f"a{number}", trusted=True))
    assert [f"a{number}" for number in range(2, 12)] == list(record.known)


def test_pauses_of_strangers_are_theirs() -> None:
    """Twenty wrong passwords from new places close the account to new places, and to no other."""
    owner, record = Source("home", "home", trusted=False), Record().succeeded(Source("home", "home", trusted=False))
    for number in range(20):
        record.check(Source(f"{number}", f"{number}", trusted=False), AT)
        record = record.failed(Source(f"{number}", f"{number}", trusted=False), AT)
    with pytest.raises(AccountLocked):
        record.check(Source("new", "new", trusted=False), AT)
    record.check(owner, AT)
    record.check(Source("browser", "new", trusted=True), AT)
    record.check(Source("new", "new", trusted=False), AT + timedelta(seconds=30))
    assert record.strangers == record.failed(owner, AT).strangers


def test_a_browser_is_known_for_one_account_by_a_cookie_that_cannot_be_made_up() -> None:
    """It keeps the one it has; that of another account, another secret or a forger is none."""
    devices, here = Devices(b"s" * 32), Caller("10.0.0.1")
    cookie = devices.cookie("ada", here)
    known = Caller("10.0.0.2", cookie)
    assert devices.source("ada", known).trusted
    assert cookie == devices.cookie("ada", known)
    assert devices.source("ada", known).id == devices.source("ada", Caller("10.0.0.3", cookie)).id
    forged = [f"{'0' * 32}.{'0' * 64}", cookie[:-1], cookie + "\n", "", "é.é", f"{'0' * 32}{cookie[32:]}"]
    strangers = [devices.source("ada", Caller("10.0.0.1", one)) for one in forged]
    strangers += [devices.source("ada", here), devices.source("grace", known)]
    strangers += [Devices(b"t" * 32).source("ada", known)]
    assert not any(one.trusted for one in strangers)
    assert 1 == len({one.id for one in strangers[:-2]})
    assert "10.0.0" not in repr(strangers)


def test_one_signing_secret_of_many_that_start(tmp_path: Path) -> None:
    """Gateways that start at once agree on one secret, which nobody else can read."""
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(8) as starting:
        made = set(starting.map(lambda _: signing_secret(settings), range(32)))
    assert 1 == len(made)
    path = tmp_path / "secrets" / "gateway.key"
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    assert [path] == list(path.parent.iterdir())
    assert b"s" * 32 == signing_secret(Settings(data_dir=tmp_path, gateway_secret="s" * 32))
    path.write_text("short\n")
    with pytest.raises(SettingsInvalid):
        signing_secret(settings)


def test_tokens_end() -> None:
    """A token is good for its minutes and no longer."""
    claims = Claims("ada", "f" * 32, Role.REVIEWER, AT)
    assert claims == Tokens(b"s" * 32, 10).read(Tokens(b"s" * 32, 10).make(claims))
    past = Tokens(b"s" * 32, 10, lambda: datetime.now(UTC) - timedelta(minutes=11))
    assert Tokens(b"s" * 32, 10).read(past.make(claims)) is None


def test_links_say_whose_they_are() -> None:
    """A token names its account; what is no token of ours names nobody."""
    settings = Settings(gateway_url="https://aisle.example.org/")
    token = new_token("zoé@example.org")
    assert ("zoé@example.org", "") == (name_in(token), name_in(new_token()))
    assert [None] * 5 == [name_in(bad) for bad in ("", "AA", "AA.x", "é.x", "QURB.x")]
    assert f"https://aisle.example.org/welcome?token={token}" == link_of(settings, token)
    assert link_of(Settings(gateway_host="0.0.0.0"), "t").startswith("http://localhost:8080/")  # noqa: S104


def test_keys_and_cookies_have_a_form() -> None:
    """What has not the form of a key, or of a session's cookie, is none, and nobody is asked about it."""
    key, cookie = f"aisle_{'0' * 16}_b_-c", f"{'0' * 32}.b_-c"
    assert (("0" * 16, "b_-c"), ("0" * 32, "b_-c")) == (keys.parts_of(key), sessions.parts_of(cookie))
    bad = [
        "",
        "aisle_",
        f"aisle_{'0' * 16}_",
        f"aisle_{'0' * 17}_b",
        f"aisle_{'g' * 16}_b",
        key + "\n",
        key + "x" * 100,
    ]
    assert [None] * 7 == [keys.parts_of(one) for one in bad]
    bad = ["", ".", "a.b", f"{'0' * 32}.", f"{'0' * 33}.b", f"{'0' * 31}\0.b", cookie + "\n", cookie + "x" * 100]
    assert [None] * 8 == [sessions.parts_of(one) for one in bad]


def test_addresses_are_counted_apart() -> None:
    """Each address has its own count; one of IPv6 shares it with the network that its owner has."""
    addresses = Addresses(2)
    for address in ("10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3", "2001:db8::1", "2001:db8::2", ""):
        addresses.count(address)
    addresses.count("10.0.0.1")
    for address in ("10.0.0.1", "2001:db8::3"):
        with pytest.raises(TooMany):
            addresses.count(address)
    addresses.count("2001:db8:0:1::1")


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://gateway"}, False),
        ({"origin": "http://gateway:80"}, False),
        ({"origin": "https://aisle.example.org"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"origin": "null"}, True),
        ({"origin": ""}, True),
        ({"origin": "http://gateway:8080"}, True),
        ({"origin": "http://gateway.evil.example"}, True),
        ({"origin": "http://[bad"}, True),
        ({"origin": "http://gateway:port"}, True),
    ],
)
async def test_other_sites_are_told_apart(headers: dict[str, str], *, refused: bool) -> None:
    """A page of another site is one by what the browser says; whoever is no browser says nothing."""
    parts = SimpleNamespace(settings=Settings(gateway_url="https://aisle.example.org"))
    app = SimpleNamespace(state=SimpleNamespace(parts=parts))
    sent = [(name.encode(), value.encode()) for name, value in {"host": "gateway", **headers}.items()]
    request = Request({"type": "http", "scheme": "http", "path": "/", "query_string": b"", "headers": sent, "app": app})
    try:
        await refuse_other_sites(request)
    except CrossSite:
        assert refused
    else:
        assert not refused


def test_page_has_the_permissions() -> None:
    """docs/accounts.md says of each right what it is and who has it, as the table in the code does."""
    page = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text()
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]
    said = {row[0]: row[2:] for row in rows if row[0] in set(Right)}
    assert ["right", "what it is", *Role] == rows[0]
    assert {right: ["yes" if role in roles else "" for role in Role] for right, roles in PERMISSIONS.items()} == said
