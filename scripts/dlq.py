"""``aisle dlq``: see what could not be processed, send it again, or let it be."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from scripts.dlq_choice import A_FEW, Selection, confirm, filter_options, resolve, selection_options
from scripts.output import print_json, printable
from scripts.person import user_name
from scripts.stored import opened_store

if TYPE_CHECKING:
    from infra.dead_letters import Action, DeadLetters, Letter
    from infra.retry import Retried

_Command = TypeVar("_Command", bound=Callable[..., Any])

_NOTED_TOGETHER = 1_000

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """See what could not be processed; send it again, or drop it.

    A dead letter is open until its event has a prediction, or you drop it.
    EVENT is an event id, or as much of its beginning as no other has.
    """


@command.command("list")
@filter_options
@click.option("--all", "all_", is_flag=True, help="Also those that were dropped, or predicted after all.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show N, the newest.")
@as_json_option
def list_(all_: bool, limit: int, as_json: bool, **filters: Any) -> None:
    """List open dead letters, the newest first.

    Those that were retried are among them until there is an answer.
    """
    from infra.dead_letters import STATES, UNSETTLED, Choice
    from scripts.dlq_view import as_json as fields
    from scripts.dlq_view import listed

    async def ask() -> "list[Letter]":
        async with _dead_letters() as letters:
            found = letters.find(Choice(**filters), STATES if all_ else UNSETTLED, limit=limit + 1)
            return [letter async for letter in found]

    found = asyncio.run(ask())
    if as_json:
        print_json([fields(letter) for letter in found[:limit]])
    elif found:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo("\n".join(listed(found[:limit], width)))
    else:
        click.echo("no dead letters" if all_ else "no open dead letters")
    if len(found) > limit:
        click.echo(f"There are more than these {limit}; --limit shows them.", err=True)


@command.command()
@click.argument("event")
@as_json_option
def show(event: str, as_json: bool) -> None:
    """Show one dead letter in full.

    Its reason, what was done about it, its headers and its value.
    """
    from infra.settings import load_settings
    from scripts.dlq_view import as_json as fields
    from scripts.dlq_view import shown

    async def ask() -> "Letter":
        async with _dead_letters() as letters:
            (found,) = [letter async for letter in letters.read([await resolve(letters, event)])]
            return found

    letter = asyncio.run(ask())
    if as_json:
        print_json(fields(letter, full=True))
    else:
        click.echo(shown(letter, load_settings().dlq_max_attempts))


def acting_options(command: _Command) -> _Command:
    """Add the arguments and options of a command that acts on dead letters."""
    for option in (
        as_json_option,
        click.option("--yes", is_flag=True, help=f"Do not ask, even for more than {A_FEW}."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing."),
        click.option("--why", metavar="TEXT", help="A word on why, to be kept with it."),
    ):
        command = option(command)
    return selection_options(command)


@command.command()
@acting_options
def retry(why: str | None, dry_run: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Send events back to the topic they came from.

    Bytes, key and headers go as they came, under the same event id. Name
    EVENTs, or choose open ones with the options. One that was tried
    AISLE_DLQ_MAX_ATTEMPTS times is refused.
    """
    from scripts.dlq_retry import send_and_show

    selection = Selection.of(options)

    async def run() -> "Retried":
        async with _dead_letters() as letters:
            ids = [letter.event_id async for letter in selection.find(letters)]
            if not (yes or dry_run):
                confirm("retry", len(ids))

            async def note(sent: "list[Letter]") -> None:
                await letters.note(_action("retried", letter, why) for letter in sent)

            return await send_and_show(letters, ids, note, dry_run=dry_run)

    done = asyncio.run(run())
    _report("retried", done.sent, [(one.event_id, one.why) for one in done.refused], dry_run=dry_run, as_json=as_json)


@command.command()
@acting_options
def drop(why: str | None, dry_run: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Settle dead letters: they are no longer open.

    Nothing is deleted. `aisle dlq list --all` still shows them, and an EVENT
    that you name may still be retried.
    """
    selection, refused, actions = Selection.of(options), list[tuple[str, str]](), list["Action"]()

    async def run() -> None:
        async with _dead_letters() as letters:
            async for letter in selection.find(letters):
                if letter.state in ("dropped", "predicted"):
                    refused.append((letter.event_id, f"It is {letter.state} already."))
                else:
                    actions.append(_action("dropped", letter, why))
            if not dry_run:
                if not yes:
                    confirm("drop", len(actions))
                for start in range(0, len(actions), _NOTED_TOGETHER):
                    await letters.note(actions[start : start + _NOTED_TOGETHER])

    asyncio.run(run())
    _report("dropped", len(actions), refused, dry_run=dry_run, as_json=as_json)


@asynccontextmanager
async def _dead_letters() -> "AsyncIterator[DeadLetters]":
    from infra.dead_letters import DeadLetters

    async with opened_store() as store:
        yield DeadLetters(store)


def _action(what: Literal["retried", "dropped"], letter: "Letter", why: str | None) -> "Action":
    from datetime import UTC, datetime

    from infra.dead_letters import Action

    return Action(letter.event_id, what, user_name(), datetime.now(UTC), letter.reason.attempts, why)


def _report(what: str, count: int, refused: list[tuple[str, str]], *, dry_run: bool, as_json: bool) -> None:
    """Say what was done and what was not.

    Raises:
        LettersRefused: Some were refused.
    """
    from scripts.errors import LettersRefused

    for event_id, reason in refused:
        click.echo(f"refused: {printable(event_id)}: {printable(reason)}", err=True)
    if as_json:
        told = [{"event_id": event_id, "why": reason} for event_id, reason in refused]
        print_json({what: count, "refused": told, "dry_run": dry_run})
    else:
        click.echo(f"{count:,} would be {what}" if dry_run else f"{count:,} {what}")
    if refused:
        raise LettersRefused(f"{len(refused):,} of {count + len(refused):,} dead letters were not {what}.")
