"""How dead letters look: a line each in a list, one in full, or JSON.

Everything in a dead letter was written by somebody else, error messages and event ids included.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len, set_cell_size

from scripts.output import printable

if TYPE_CHECKING:
    from infra.dead_letters import Letter

_ID_LENGTHS = (8, 13, 18, 23)  # where a UUID has its hyphens
_HEX_BYTES = 256
_REASON_WIDTH = 20
_WHY_WIDTH = 40


def listed(letters: "Sequence[Letter]", width: int | None) -> list[str]:
    """A heading and a line for each letter; its message has a line of its own where there is little room beside.

    Args:
        letters: At least one.
        width: Columns of the terminal; None shortens nothing, for another program to read.
    """
    length = 36 if width is None else _id_length([letter.event_id for letter in letters])
    rows = [("event", "failed", "stage", "reason", "tries", "state"), *(_row(one, length, width) for one in letters)]
    columns = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    heading, *lines = ("  ".join(map(set_cell_size, row, columns)) for row in rows)
    left = 0 if width is None else width - cell_len(heading) - 2
    shown = [click.style(f"{heading}  why" if width is None or left >= _WHY_WIDTH else heading.rstrip(), dim=True)]
    for line, letter in zip(lines, letters, strict=True):
        why = printable(letter.reason.message)
        if width is None or left >= _WHY_WIDTH:
            shown.append(f"{line}  {why if width is None else _cut(why, left)}".rstrip())
        else:
            shown += [line.rstrip(), *([click.style(f"  {_cut(why, width - 2)}", dim=True)] if why else [])]
    return shown


def _row(letter: "Letter", id_length: int, width: int | None) -> tuple[str, ...]:
    reason = letter.reason.error_class if width is None else _cut(printable(letter.reason.error_class), _REASON_WIDTH)
    cells = (letter.event_id[:id_length], _time(letter.at, "%m-%d %H:%M"), letter.reason.stage, reason)
    return tuple(map(printable, (*cells, str(letter.reason.attempts), letter.state)))


def shown(letter: "Letter", max_attempts: int) -> str:
    """A letter in full, as text for a terminal."""
    reason = letter.reason
    rows = [
        ("event", letter.event_id),
        ("state", f"{letter.state}, attempt {reason.attempts} of at most {max_attempts}"),
        ("failed", _time(letter.at)),
        ("stage", reason.stage),
        ("reason", reason.error_class),
        ("why", reason.message),
        ("from", f"{reason.topic}, partition {reason.partition}, offset {reason.offset}"),
        ("sent", _milliseconds(reason.timestamp_ms)),
        ("key", _line(letter.key)),
    ]
    if letter.product_id is not None:
        rows.append(("product", letter.product_id))
    for action in letter.actions:
        why = "" if action.why is None else f": {action.why}"
        rows.append((action.what, f"{_time(action.at)} by {action.by}, after attempt {action.attempts}{why}"))
    rows += [("header", f"{name}: {_line(value)}") for name, value in letter.headers]
    lines = [f"{name:9}  {printable(text)}" for name, text in rows]
    return "\n".join([*lines, f"value      {_kind(letter)}", *_content(letter.value)])


def as_json(letter: "Letter", *, full: bool = False) -> dict[str, Any]:
    """A letter as JSON can hold it; ``full`` with key, value and headers, which are no part of a list."""
    fields = {
        "event_id": letter.event_id,
        "product_id": letter.product_id,
        "state": letter.state,
        "at": letter.at,
        **letter.reason.model_dump(),
        "actions": [
            {"action": a.what, "by": a.by, "at": a.at, "attempts": a.attempts, "why": a.why} for a in letter.actions
        ],
    }
    if full:
        headers = [{"name": name, "value": _json_content(value)} for name, value in letter.headers]
        fields |= {"key": _json_content(letter.key), "value": _json_content(letter.value), "headers": headers}
    return fields


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _id_length(ids: Sequence[str]) -> int:
    """As much of the ids as tells them apart."""
    return next((length for length in _ID_LENGTHS if len({one[:length] for one in ids}) == len(ids)), 36)


def _time(at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    try:
        return at.astimezone().strftime(form)
    except (ValueError, OverflowError):  # at the end of the calendar
        return at.isoformat()


def _milliseconds(timestamp_ms: int) -> str:
    try:
        return _time(datetime.fromtimestamp(timestamp_ms / 1000, UTC))
    except (ValueError, OverflowError, OSError):  # a producer may write any number
        return f"{timestamp_ms} ms"


def _kind(letter: "Letter") -> str:
    if letter.unread:
        return "never read"
    if letter.value is None:
        digest = letter.reason.value_sha256
        return "null" if digest is None else f"too large to be kept, SHA-256 {printable(digest)}"
    return f"{len(letter.value):,} bytes" + ("" if _text(letter.value) is not None else ", not UTF-8")


def _content(value: bytes | None) -> list[str]:
    """Lines that show a value: JSON indented, other text as it is, all else in hexadecimal."""
    if not value:
        return []
    text = _text(value)
    if text is None:
        rows = [value[at : at + 16].hex(" ") for at in range(0, min(len(value), _HEX_BYTES), 16)]
        return [*rows, "…"] if len(value) > _HEX_BYTES else rows
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return [printable(line) for line in text.splitlines()]


def _line(content: bytes | None) -> str:
    if content is None:
        return "null"
    text = _text(content)
    if text is not None:
        return text
    cut = "…" if len(content) > _HEX_BYTES else ""
    return f"{content[:_HEX_BYTES].hex(' ')}{cut} ({len(content):,} bytes)"


def _text(content: bytes) -> str | None:
    with suppress(UnicodeDecodeError):
        return content.decode()
    return None


def _json_content(content: bytes | None) -> str | dict[str, str] | None:
    if content is None:
        return None
    from base64 import b64encode

    text = _text(content)
    return {"base64": b64encode(content).decode()} if text is None else text
