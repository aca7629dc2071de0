"""How dead letters look, whatever strangers wrote into them."""

import json
from datetime import UTC, datetime
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from infra.dead_letters import Action, Letter
from schemas.dead_letter import DeadLetter
from scripts.dlq_view import as_json, listed, shown
from scripts.output import print_json

NOW = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
EVENT = "0b8e0000-0000-4000-8000-000000000001"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NASTY = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\u2066\r\n\t\u2028"


def letter(event_id: str = EVENT, *, at: datetime = NOW, actions: Any = (), **fields: Any) -> Letter:
    """A dead letter with this reason or content."""
    reason = {"topic": "products.in", "partition": 1, "offset": 2, "timestamp_ms": 3, "stage": "decode"}
    reason |= {"error_class": "record-invalid", "message": "Not a Product: title: no."}
    named = {name: fields.pop(name) for name in list(fields) if name in DeadLetter.model_fields}
    return Letter(event_id, None, at, DeadLetter.model_validate(reason | named), False, actions=actions, **fields)


def steers(text: str) -> set[str]:
    """The signs of a text that a terminal may obey, its line ends apart."""
    return {char for char in text if not char.isprintable()} - {"\n"}


@pytest.mark.parametrize("nasty", [NASTY, "", "標題" * 400, "👩‍👩‍👧" * 100, "x" * 1_000])
def test_no_letter_steers_the_terminal(nasty: str) -> None:
    """Not by its reason, key, header, value, event id or by what was said about it; in no form of output."""
    noted = Action(EVENT, "dropped", nasty, NOW, 1, nasty)
    content = nasty.encode()
    odd = letter(
        nasty,
        message=nasty,
        error_class=nasty,
        topic=nasty,
        key=content,
        value=content,
        headers=[(nasty, content)],
        actions=(noted,),
    )

    @click.command()
    def told() -> None:
        print_json(as_json(odd, full=True))

    assert set() == steers(shown(odd, 5))
    assert set() == steers("".join(click.unstyle(line) for line in listed([odd], 80)))
    assert set() == steers("".join(click.unstyle(line) for line in listed([odd], None)))
    printed = CliRunner().invoke(told).stdout
    assert not steers(printed) & set(NASTY)
    assert (nasty, nasty) == (json.loads(printed)["message"], json.loads(printed)["value"])


@given(
    st.lists(st.builds(letter, st.uuids().map(str), message=TEXT, error_class=TEXT, attempts=st.integers(1, 10**6))),
    st.integers(80, 250),
)
def test_a_list_fits_its_terminal(letters: list[Letter], width: int) -> None:
    """No line is longer than the terminal is wide, however wide the characters are."""
    for line in listed(letters, width) if letters else []:
        assert cell_len(click.unstyle(line)) <= width


def test_a_message_has_room() -> None:
    """Beside the rest on a wide terminal, on a line of its own on another, whole where a program reads it."""
    long = "Not a Product: " + "title: no. " * 20
    narrow, wide, whole = (listed([letter(message=long)], width) for width in (80, 160, None))
    assert (3, 2, 2) == (len(narrow), len(wide), len(whole))
    assert narrow[2].count("title: no.") >= 5
    assert wide[1].endswith("…")
    assert whole[1].endswith(long.rstrip())
    assert EVENT in whole[1]


def test_ids_are_as_long_as_tells_them_apart() -> None:
    """Eight characters of random ids, more of those that a producer counts up."""
    counted = [letter(f"00000000-0000-4000-8000-00000000000{number}") for number in range(3)]
    assert f"{EVENT[:8]}  " in listed([letter(), counted[0]], 80)[1]
    assert counted[2].event_id in listed(counted, 80)[5]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, ["value      null"]),
        (b"", ["value      0 bytes"]),
        (b"no JSON", ["value      7 bytes", "no JSON"]),
        (b'{"a":[1,"\xc3\xa9"]}', ["value      14 bytes", "{", '  "a": [', "    1,", '    "é"', "  ]", "}"]),
        (b"[12345678901234567890123]", ["value      25 bytes", "[", "  12345678901234567890123", "]"]),
        (b"\xff\x00", ["value      2 bytes, not UTF-8", "ff 00"]),
        (b'"\\ud800"', ["value      8 bytes", '"·"']),
    ],
)
def test_a_value_is_shown_as_what_it_is(value: bytes | None, lines: list[str]) -> None:
    """JSON indented and exact, text as text, bytes in hexadecimal, null as null."""
    assert lines == shown(letter(value=value), 5).splitlines()[-len(lines) :]


@pytest.mark.parametrize("value", [b"[" * 100_000, b"9" * 5_000, b"NaN", b"\xff" * 5_000, b"\x00"])
def test_any_value_can_be_shown(value: bytes) -> None:
    """What is nested too deep, too large a number, or no text ends no command."""
    assert shown(letter(value=value), 5)
    assert orjson.dumps(as_json(letter(value=value), full=True))


def test_a_value_that_was_not_kept_is_named() -> None:
    """It is not taken for null."""
    assert "too large to be kept, SHA-256 abc" in shown(letter(value_sha256="abc"), 5)
    assert "value      never read" in shown(letter(stage="poison"), 5)


@pytest.mark.parametrize("timestamp_ms", [-(2**63), -1, 0, 2**63 - 1])
def test_any_time_can_be_shown(timestamp_ms: int) -> None:
    """A time beyond the calendar is no reason to hide the letter."""
    odd = letter(at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), timestamp_ms=timestamp_ms)
    assert shown(odd, 5)
    assert listed([odd], 80)


def test_what_was_done_is_part_of_it() -> None:
    """Who retried or dropped it, when, after which attempt, and why."""
    text = shown(letter(attempts=2, actions=(Action(EVENT, "retried", "ada", NOW, 1, "new model"),)), 5)
    assert "open, attempt 2 of at most 5" in text
    assert "by ada, after attempt 1: new model" in text
