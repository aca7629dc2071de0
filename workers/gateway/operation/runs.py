"""Retraining runs as people look at them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from infra.lease import holder_of
from infra.runs import LEASE, LogLine, Run, Runs
from infra.store import Store
from schemas.http.run import RunLine, RunList, RunRow, RunView
from workers.gateway.errors import Conflict, NotFound, Unprocessable
from workers.gateway.paging import cursor_of, place_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_NO_RUN: Final = 2**31
_DIGITS: Final = 9


async def listed(store: Store, limit: int, cursor: str | None) -> RunList:
    """A page of the runs, the latest first.

    Raises:
        Unprocessable: The cursor is none of this list.
    """
    before = None if cursor is None else _number(str(place_of(cursor, str)[0]))
    runs = await Runs(store).latest(limit + 1, before=before)
    rows = [RunRow.model_validate(run, from_attributes=True) for run in runs[:limit]]
    more = cursor_of(str(rows[-1].id)) if len(runs) > limit else None
    return RunList(items=rows, next=more, worker=await holder_of(store, LEASE))


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS:
        raise Unprocessable("The cursor is none of this list.")
    return int(text)


async def shown(store: Store, run_id: int, log_from: str | None) -> RunView:
    """A run, with the lines of its log that come after a place.

    Raises:
        NotFound: There is no such run.
        Unprocessable: The place is none that was given.
    """
    run = await known(store, run_id)
    lines = run.log if log_from is None else lines_after(run.log, log_from)
    log = [RunLine(at=line.at, said=line.said) for line in lines]
    fields = run.model_dump(exclude={"log", "token", "epoch", "counted", "cut_at", "golden_sha256"})
    return RunView.model_validate({**fields, "log": log, "log_next": place_after(run.log, log_from)})


async def known(store: Store, run_id: int) -> Run:
    """A run.

    Raises:
        NotFound: There is none of that number.
    """
    run = await Runs(store).get(run_id) if run_id < _NO_RUN else None
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    return run


async def cancelled(store: Store, run_id: int) -> RunView:
    """Ask for the end of a run.

    Raises:
        Conflict: It has ended.
    """
    if not await Runs(store).cancel(run_id):
        run = await known(store, run_id)
        raise Conflict(f"Run {run_id} is not under way: {run.outcome or run.state}.")
    return await shown(store, run_id, None)


def place_after(log: Sequence[LogLine], log_from: str | None = None) -> str:
    """The place behind a log's last line: its time, and how many lines have it. Old lines go: a count would not do."""
    if not log:
        return log_from or cursor_of("0", "0")
    last = log[-1].at
    return cursor_of(str((last - _EPOCH) // _MS), str(sum(line.at == last for line in log)))


def lines_after(log: Sequence[LogLine], place: str) -> list[LogLine]:
    """The lines of a log behind a place.

    Raises:
        Unprocessable: It is none that was given.
    """
    try:
        at, seen = (int(part) for part in place_of(place, str, str))
        last = _EPOCH + at * _MS
    except (ValueError, OverflowError):
        raise Unprocessable("log_from is no place that a log gave.", hint="Begin without one.") from None
    same = [line for line in log if line.at == last]
    return [*same[max(seen, 0) :], *(line for line in log if line.at > last)]
