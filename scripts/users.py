"""``aisle users``: the accounts of the gateway, also while none runs."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scripts.output import print_json, printable
from scripts.person import user_name
from scripts.stored import opened_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from infra.store import Store
    from workers.gateway.accounts.administration import Administration
    from workers.gateway.accounts.doer import Doer

T = TypeVar("T")

_ROLES = click.Choice(["customer", "reviewer", "admin"])


class _Name(click.ParamType):
    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name in its normal form."""
        from schemas.http.account import normal_name

        try:
            return normal_name(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}.", param, ctx)


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
name_argument = click.argument("name", type=_Name(), metavar="NAME")


@click.group()
def command() -> None:
    """Make and change the accounts of the gateway.

    Works on the store, whether a gateway runs or not; gateways know within
    seconds. Names are letters, digits, and of . _ - @ +.
    """


@command.command()
@name_argument
@click.option("--role", type=_ROLES, default="customer", show_default=True, help="What the account is for.")
@click.option("--invite", is_flag=True, help="Print a one-time link in place of asking for a password.")
@as_json_option
def add(*, name: str, role: str, invite: bool, as_json: bool) -> None:
    """Make an account.

    Asks for its password twice. With --invite it prints a link, good for a
    week, by which its owner chooses one.
    """
    from schemas.http.account import Role

    async def run(_: "Store", accounts: "Administration") -> dict[str, Any]:
        await accounts.users.check_free(name)
        hashed = None if invite else await _hashed(_ask_password(name))
        made: dict[str, Any] = {"user": (await accounts.add(name, Role(role), _doer(), hashed)).model_dump()}
        return made | ({"invitation": (await accounts.invite(name, _doer())).model_dump()} if invite else {})

    made = _run(run)
    if as_json:
        print_json(made)
        return
    click.echo(f"{name} is made, with the role {role}")
    if invite:
        _show_link(made["invitation"])


@command.command("list")
@as_json_option
def list_(*, as_json: bool) -> None:
    """List all accounts."""

    async def run(_: "Store", accounts: "Administration") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := await accounts.page(200, found[-1]["name"] if found else ""):
            found += [user.model_dump() for user in page]
        return found

    found = _run(run)
    if as_json:
        print_json(found)
        return
    for user in found:
        signed_in = user["signed_in_at"]
        seen = f"last signed in {signed_in:%Y-%m-%d %H:%M} UTC" if signed_in else "never signed in"
        state = "disabled" if user["disabled"] else "invited" if user["invited"] else seen
        click.echo(f"{user['role']:9} {printable(user['name'])}  {state}")
    if not found:
        click.echo("no accounts; `aisle users add NAME --role admin` makes the first")


@command.command()
@name_argument
@click.argument("role", type=_ROLES, metavar="ROLE")
def role(*, name: str, role: str) -> None:
    """Give an account another ROLE: customer, reviewer or admin."""
    from schemas.http.account import Role

    _run(lambda _, accounts: accounts.change(name, Role(role), _doer()))
    click.echo(f"{name} has the role {role}")


@command.command()
@name_argument
def disable(*, name: str) -> None:
    """Shut an account: its sessions end, its keys do not work."""
    _run(lambda _, accounts: accounts.change(name, None, _doer(), disabled=True))
    click.echo(f"{name} is disabled")


@command.command()
@name_argument
def enable(*, name: str) -> None:
    """Open an account again; its keys work again."""
    _run(lambda _, accounts: accounts.change(name, None, _doer(), disabled=False))
    click.echo(f"{name} is enabled")


@command.command()
@name_argument
@click.option("--invite", is_flag=True, help="Print a one-time link in place of asking for a password.")
@as_json_option
def password(*, name: str, invite: bool, as_json: bool) -> None:
    """Set the password of an account; all its sessions end.

    With --invite it prints a link, good for a week, by which its owner
    chooses one; until then the old one stays.
    """

    async def run(store: "Store", accounts: "Administration") -> dict[str, Any] | None:
        if invite:
            return (await accounts.invite(name, _doer())).model_dump()
        await accounts.users.get(name)
        await _set_password(store, name)
        return None

    link = _run(run)
    if as_json:
        print_json({"name": name, "invitation": link})
    elif link is not None:
        _show_link(link)
    else:
        click.echo(f"{name} has another password")


@command.command()
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(*, name: str, yes: bool) -> None:
    """Delete an account. Its name is never given to another."""
    if not yes:
        click.confirm(f"Delete the account {name}?", abort=True, err=True)
    _run(lambda _, accounts: accounts.remove(name, _doer()))
    click.echo(f"{name} is deleted")


def _run(work: "Callable[[Store, Administration], Awaitable[T]]") -> T:
    async def run() -> T:
        async with _opened() as (store, accounts):
            return await work(store, accounts)

    return asyncio.run(run())


@asynccontextmanager
async def _opened() -> "AsyncIterator[tuple[Store, Administration]]":
    from infra.settings import load_settings
    from workers.gateway.accounts.administration import Administration

    async with opened_store() as store:
        yield store, Administration(store, load_settings())


def _doer() -> "Doer":
    from workers.gateway.accounts.doer import Doer

    return Doer(user_name())


def _ask_password(name: str) -> str:
    """A password typed twice, without echo, that may be one.

    Raises:
        PasswordRefused: It may not.
    """
    from workers.gateway.accounts.passwords import checked

    typed: str = click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
    return checked(typed, name)


async def _hashed(password: str) -> str:
    from workers.gateway.accounts.passwords import Hasher

    return await Hasher().hash(password)


async def _set_password(store: "Store", name: str) -> None:
    from infra.settings import load_settings
    from workers.gateway.accounts.entrance import Entrance
    from workers.gateway.accounts.passwords import Hasher
    from workers.gateway.accounts.sessions import Sessions

    sessions = Sessions(store, load_settings().gateway_session_days)
    await Entrance(store, sessions, Hasher()).set_password(name, _ask_password(name), _doer())


def _show_link(invitation: dict[str, Any]) -> None:
    click.echo(f"until {invitation['expires_at']:%Y-%m-%d %H:%M} UTC, once: {invitation['link']}")
