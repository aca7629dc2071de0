"""``aisle feedback``: say what products are, and see where people disagree."""

import asyncio
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.output import print_json, printable
from scripts.person import user_name
from scripts.stored import opened_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.feedback_log import Conflict, FeedbackLog, Judged
    from schemas.feedback import Feedback

_SHOWN_PROBLEMS = 20
_ID = re.compile(r"[0-9a-f-]{1,36}", re.ASCII)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
by_option = click.option("--by", metavar="NAME", help="Who says so; default: your user name.")


@click.group()
def command() -> None:
    """Say what products are, and see where people disagree.

    A verdict goes to the topic feedback. The archive brings it to its item,
    workers answer the same content with it, and models learn from it.
    """


@command.command()
@click.argument("event", metavar="EVENT_ID")
@click.argument("code", required=False)
@click.option("--validate", "said", flag_value="validated", help="The prediction is right.")
@click.option("--reject", "said", flag_value="rejected", help="No category fits, or the product is none.")
@click.option("--withdraw", "said", flag_value="withdrawn", help="Take back what was said of it.")
@by_option
@click.option("--note", metavar="TEXT", help="A word on why, to be kept with it.")
@as_json_option
def give(*, event: str, code: str | None, said: str | None, by: str | None, note: str | None, as_json: bool) -> None:
    """Say what one product is.

    EVENT_ID may be as much of its beginning as no other has. CODE is a
    category's code or label; without it, say --validate, --reject or
    --withdraw. The latest verdict on an event counts, and all are kept.
    """
    from uuid import uuid4

    from pydantic import ValidationError

    from infra.settings import load_settings
    from model.shelves import TaxonomyInForce
    from schemas.feedback import Feedback
    from scripts.feedback_file import problem_of
    from scripts.feedback_send import send

    if (code is None) == (said is None):
        raise click.UsageError("Give either a CODE, or one of --validate, --reject and --withdraw.")
    named = None if code is None else _code(code, TaxonomyInForce(load_settings()))

    async def run() -> "tuple[Judged, Feedback]":
        async with _log() as log:
            item = await _resolve(log, event)
        # Naming the category that was predicted says that the prediction is right.
        verdict = said or ("validated" if named == item.code else "corrected")
        given = {"event_id": item.event_id, "product_id": item.product_id, "verdict": verdict, "note": note}
        right = named if verdict == "corrected" else None
        try:
            feedback = Feedback.model_validate(
                given | {"feedback_id": str(uuid4()), "code": right, "by": by or user_name()}
            )
        except ValidationError as error:
            raise click.UsageError(problem_of(error)) from error
        await send([feedback])
        return item, feedback

    item, feedback = asyncio.run(run())
    if as_json:
        print_json(feedback.model_dump(exclude_none=True))
        return
    click.echo(f"{printable(item.title or item.product_id or item.event_id)}: {feedback.verdict}")
    if feedback.code is not None:
        click.echo(f"{printable(item.label or 'not predicted')} → {printable(feedback.code)}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@by_option
@click.option("--skip-bad", is_flag=True, help="Send the good rows even if there are bad ones.")
@click.option("--dry-run", is_flag=True, help="Check the rows, send nothing.")
@as_json_option
def import_(file: Path, by: str | None, skip_bad: bool, dry_run: bool, as_json: bool) -> None:
    """Send the verdicts of FILE, a CSV, JSONL or Parquet file.

    Columns: event_id or product_id, code, and if you like verdict (without
    it: corrected), by, at (ISO 8601), note, feedback_id. All rows are checked
    first; with a bad one, nothing is sent. The same file sent again changes
    nothing.
    """
    from scripts.errors import FeedbackRefused
    from scripts.feedback_file import FeedbackFile
    from scripts.feedback_send import send
    from scripts.progress import progress_bar

    rows = FeedbackFile.of(file, by or user_name())

    async def run() -> int:
        async with _log() as log:
            with progress_bar("checking", 100) as told:
                checked = await rows.check(log, told)
        for problem in checked.problems[:_SHOWN_PROBLEMS]:
            click.echo(printable(problem), err=True)
        if (more := len(checked.problems) - _SHOWN_PROBLEMS) > 0:
            click.echo(f"and {more:,} more", err=True)
        if checked.unknown:
            click.echo(f"{checked.unknown:,} name an event that is not archived: kept until it is", err=True)
        if checked.problems and not skip_bad:
            raise FeedbackRefused(
                f"{len(checked.problems):,} of {checked.rows:,} rows cannot be used; nothing was sent.",
                hint="Mend them, or say --skip-bad to send the others.",
            )
        if not dry_run:
            with progress_bar("sending", checked.good) as told:
                await send(rows, told)
        if as_json:
            sums = {"rows": checked.rows, "sent": 0 if dry_run else checked.good, "dry_run": dry_run}
            print_json(sums | {"passed_over": checked.problems, "events_unknown": checked.unknown})
        return checked.good

    good = asyncio.run(run())
    if not as_json:
        click.echo(f"{good:,} verdicts {'would be sent' if dry_run else 'sent'}")


@command.command()
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show N.")
@as_json_option
def conflicts(limit: int, as_json: bool) -> None:
    """List products of which people say different things.

    The last verdict counts, marked with a star, until somebody gives a later
    one. Events with the same title, description and photo are one product.
    """
    from itertools import chain

    from scripts.feedback_view import as_json as fields
    from scripts.feedback_view import shown

    async def ask() -> "list[Conflict]":
        found: list[Conflict] = []
        async with _log() as log:
            async for conflict in log.conflicts():
                found.append(conflict)
                if len(found) > limit:
                    break
        return found

    found = asyncio.run(ask())
    if as_json:
        print_json([fields(conflict) for conflict in found[:limit]])
    elif found:
        click.echo("\n".join(chain.from_iterable(map(shown, found[:limit]))))
    else:
        click.echo("no conflicts")
    if len(found) > limit:
        click.echo(f"There are more than these {limit}; --limit shows them.", err=True)


@asynccontextmanager
async def _log() -> "AsyncIterator[FeedbackLog]":
    from infra.feedback_log import FeedbackLog

    async with opened_store() as store:
        yield FeedbackLog(store)


def _code(text: str, shelves: Any) -> str:
    """The code that a text names.

    Raises:
        CodeUnknown: It is neither code nor label of the taxonomy.
    """
    from model.shelves import check_code

    taxonomy = shelves.now()
    code: str = (taxonomy.code_of(text) if taxonomy is not None else None) or text
    check_code(code, taxonomy)
    return code


async def _resolve(log: "FeedbackLog", beginning: str) -> "Judged":
    """The item whose event id begins so.

    Raises:
        EventUnknown: No item's does, or more than one.
    """
    from scripts.errors import EventUnknown

    prefix = beginning.lower()
    found = await log.beginning_with(prefix, 2) if _ID.fullmatch(prefix) else []
    if len(found) > 1 and prefix not in found:
        raise EventUnknown(f"More than one event id begins with {beginning!r}.", hint="Give more of it.")
    if not found:
        raise EventUnknown(
            f"No archived event has an id that begins with {beginning!r}.",
            hint="`aisle watch --json` shows ids as events are answered.",
        )
    return (await log.items(found[:1]))[found[0]]
