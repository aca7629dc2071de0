"""Dead letters as people look at them."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infra.dead_letters import STATES, UNSETTLED, Choice, DeadLetters, Letter, State
from infra.store import Store
from schemas.http.dead_letter import (
    LetterContent,
    LetterCount,
    LetterCounts,
    LetterHeader,
    LetterRow,
    LetterView,
)
from schemas.http.paging import Page
from workers.gateway.errors import NotFound
from workers.gateway.paging import cursor_of, no_cursor, place_of

_SHOWN_BYTES: Final = 64 * 1024
_COUNTED: Final = 2_000
_CLASSES: Final = 50
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def listed(
    store: Store, choice: Choice, states: tuple[State, ...], limit: int, cursor: str | None
) -> Page[LetterRow]:
    """A page of dead letters, the newest first.

    Raises:
        Unprocessable: The cursor is none of this list.
    """
    at, passed = _place(cursor)
    if at is not None:
        choice = replace(choice, until=at + _MS if choice.until is None else min(choice.until, at + _MS))
    found, same = list[Letter](), 0
    async for letter in DeadLetters(store).find(choice, states):
        if letter.at == at and same < passed:
            same += 1
            continue
        found.append(letter)
        if len(found) > limit:
            break
    page = found[:limit]
    return Page[LetterRow](
        items=[LetterRow.model_validate(_row(letter)) for letter in page],
        next=_cursor(page, at, passed) if len(found) > limit else None,
    )


async def shown(store: Store, event_id: str) -> LetterView:
    """One dead letter in full.

    Raises:
        NotFound: There is none of this event.
    """
    async for letter in DeadLetters(store).read([event_id]):
        headers = [LetterHeader(name=name, value=_content(value)) for name, value in letter.headers]
        content = {"key": _content(letter.key), "value": _content(letter.value), "headers": headers}
        return LetterView.model_validate(_row(letter) | content | {"value_sha256": letter.reason.value_sha256})
    raise NotFound("There is no dead letter of this event.")


async def counted(store: Store) -> LetterCounts:
    """The newest dead letters by state, stage and class."""
    found = [letter async for letter in DeadLetters(store).find(Choice(), STATES, limit=_COUNTED + 1)]
    complete, found = len(found) <= _COUNTED, found[:_COUNTED]
    reasons = [letter.reason for letter in found if letter.state in UNSETTLED]
    return LetterCounts(
        states=_counts(letter.state for letter in found),
        stages=_counts(reason.stage for reason in reasons),
        classes=_counts(reason.error_class for reason in reasons)[:_CLASSES],
        looked_at=len(found),
        since=found[-1].at if found else None,
        complete=complete,
    )


def _counts(names: Iterable[str]) -> list[LetterCount]:
    return [LetterCount(name=name, letters=letters) for name, letters in Counter(names).most_common()]


def _row(letter: Letter) -> dict[str, Any]:
    reason, names = letter.reason, ("stage", "error_class", "message", "attempts", "topic", "partition", "offset")
    return {
        "event_id": letter.event_id,
        "product_id": letter.product_id,
        "state": letter.state,
        "at": letter.at,
        **{name: getattr(reason, name) for name in names},
        "actions": [
            {"action": one.what, "by": one.by, "at": one.at, "attempts": one.attempts, "why": one.why}
            for one in letter.actions
        ],
    }


def _content(content: bytes | None) -> LetterContent | None:
    """What a browser may be given of bytes that anybody may have written."""
    if content is None:
        return None
    shown, cut = content[:_SHOWN_BYTES], len(content) > _SHOWN_BYTES
    try:
        text = content.decode()[:_SHOWN_BYTES]
    except UnicodeDecodeError:
        return LetterContent(base64=b64encode(shown).decode(), bytes=len(content), cut=cut)
    return LetterContent(text=text, bytes=len(content), cut=len(text) == _SHOWN_BYTES and cut)


def _place(cursor: str | None) -> tuple[datetime | None, int]:
    """The time of the last letter that was shown, and how many with that time were."""
    if cursor is None:
        return None, 0
    try:
        at, passed = (int(part) for part in place_of(cursor, str, str))
        return _EPOCH + (at + 1) * _MS - _MS, passed  # the moment behind it has to be one, too
    except (ValueError, OverflowError):
        raise no_cursor() from None


def _cursor(page: list[Letter], at: datetime | None, passed: int) -> str:
    last = page[-1].at
    same = sum(letter.at == last for letter in page) + (passed if last == at else 0)
    return cursor_of(str((last - _EPOCH) // _MS), str(same))
