"""Which dead letters a command is about: the events it names, or what its options choose."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scripts.errors import DeadLetterUnknown
from scripts.times import Moment

if TYPE_CHECKING:
    from infra.dead_letters import DeadLetters, Letter

_Command = TypeVar("_Command", bound=Callable[..., Any])

_STAGES = ("decode", "preprocess", "infer", "poison")
_ID = re.compile(r"[0-9a-f-]{1,36}", re.ASCII)
_NAMESAKES = 3

A_FEW = 10
"""More letters than this are acted on only after a question."""


def filter_options(command: _Command) -> _Command:
    """Add the options that choose dead letters by what is known of them."""
    for option in (
        click.option("--until", type=Moment(), help="Those that failed before this time."),
        click.option("--since", type=Moment(), help="Those that failed since: ISO 8601, or 2h for two hours ago."),
        click.option("--reason", metavar="CLASS", help="Those with this reason, such as record-invalid."),
        click.option("--stage", type=click.Choice(_STAGES), help="Those that failed at this stage."),
    ):
        command = option(command)
    return command


def selection_options(command: _Command) -> _Command:
    """Add the arguments and options of a command that acts; :meth:`Selection.of` takes them out again."""
    for option in (
        click.option("--limit", type=click.IntRange(min=1), help="At most N, the oldest."),
        click.option("--again", is_flag=True, help="Also those that were retried and have no answer yet."),
        click.option("--all", "all_", is_flag=True, help="Every open one."),
    ):
        command = option(command)
    return click.argument("events", nargs=-1, metavar="[EVENT]...")(filter_options(command))


@dataclass(frozen=True)
class Selection:
    """What the arguments and options of a command choose."""

    events: tuple[str, ...]
    filters: dict[str, Any]
    again: bool
    limit: int | None

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Selection":
        """Take them out of a command's options.

        Raises:
            click.UsageError: Nothing is chosen, or events are named and chosen at once.
        """
        events, all_, again, limit = (options.pop(name) for name in ("events", "all_", "again", "limit"))
        filters = {name: options.pop(name) for name in ("stage", "reason", "since", "until")}
        chosen = all_ or any(value is not None for value in filters.values())
        if events and (chosen or again or limit):
            raise click.UsageError("Name events, or choose some with options, but not both.")
        if not events and not chosen:
            raise click.UsageError("Name events, or choose with --stage, --reason, --since, --until or --all.")
        return cls(events, filters, again, limit)

    async def find(self, letters: "DeadLetters") -> "AsyncIterator[Letter]":
        """The letters, oldest first; those that are named in any state, else the open ones."""
        from infra.dead_letters import STATES, UNSETTLED, Choice

        if self.events:
            choice = Choice(event_ids=[await resolve(letters, event) for event in self.events])
            found = letters.find(choice, STATES, newest_first=False)
        else:
            states = UNSETTLED if self.again else UNSETTLED[:1]
            found = letters.find(Choice(**self.filters), states, newest_first=False, limit=self.limit)
        async for letter in found:
            yield letter


async def resolve(letters: "DeadLetters", beginning: str) -> str:
    """The event id that begins so.

    Raises:
        DeadLetterUnknown: No dead letter's does, or more than one.
    """
    prefix = beginning.lower()
    found = await letters.beginning_with(prefix, _NAMESAKES + 1) if _ID.fullmatch(prefix) else []
    if prefix in found:
        return prefix
    if not found:
        raise DeadLetterUnknown(
            f"No dead letter has an event id that begins with {beginning!r}.", hint="`aisle dlq list --all` shows them."
        )
    if len(found) > 1:
        more = ", …" if len(found) > _NAMESAKES else ""
        raise DeadLetterUnknown(
            f"More than one event id begins with {beginning!r}: {', '.join(found[:_NAMESAKES])}{more}.",
            hint="Give more of it.",
        )
    return found[0]


def confirm(what: str, count: int) -> None:
    """Ask before many letters are acted on.

    Raises:
        click.UsageError: There is nobody to ask.
        click.Abort: The answer was no.
    """
    if count <= A_FEW:
        return
    if not click.get_text_stream("stdin").isatty():
        raise click.UsageError(f"This would {what} {count:,} dead letters: say --yes if you mean it.")
    click.confirm(f"{what.capitalize()} {count:,} dead letters?", abort=True, err=True)
