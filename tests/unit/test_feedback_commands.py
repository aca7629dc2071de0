"""`aisle feedback`: what it takes, what it refuses and why, and how a disagreement looks."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.errors import KafkaTimeoutError
from click.testing import CliRunner, Result
from rich.cells import cell_len

from infra.errors import DeliveryFailed
from infra.feedback_log import Conflict, Judged, Opinion, opinions_of
from infra.settings import load_settings
from model.errors import CodeUnknown
from schemas.feedback import Feedback
from scripts import feedback, feedback_send
from scripts.errors import EventUnknown, FeedbackRefused
from scripts.feedback_view import shown

SOUP = "0b8e0000-0000-4000-8000-000000000001"
TEA = "0b8e0000-0000-4000-8000-000000000002"
LONELY = "ffff0000-0000-4000-8000-000000000003"


class Log:
    """Items in memory; keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Feedback] = []
        self.items_ = {
            one: Judged(one, f"p-{one[-1]}", "hot\x1b soup", "soups", "Soups") for one in (SOUP, TEA, LONELY)
        }

    async def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The ids that begin so."""
        return [one for one in self.items_ if one.startswith(prefix)][:limit]

    async def items(self, event_ids: Iterable[str]) -> dict[str, Judged]:
        """Those with these ids."""
        return {one: self.items_[one] for one in event_ids if one in self.items_}

    async def conflicts(self) -> AsyncIterator[Conflict]:
        """Two."""
        for event_id in (SOUP, TEA):
            yield Conflict(self.items_[event_id], (opinion("ada", "teas"), opinion("bob", "jams", stands=True)))


def opinion(by: str, code: str | None, **fields: Any) -> Opinion:
    """What somebody says."""
    return Opinion(by, "corrected", code, datetime(2026, 11, 21, tzinfo=UTC), SOUP, "f", **fields)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Log]:
    """A log in place of the store, and of the broker; three categories may be named."""
    log = Log()

    @asynccontextmanager
    async def found() -> AsyncIterator[Log]:
        yield log

    async def send(verdicts: Iterable[Feedback], *_told: Any) -> int:
        log.sent += verdicts
        return len(log.sent)

    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text("code,label\nsoups,Soups\nteas,Teas\njams,Jams\n", encoding="utf-8")
    monkeypatch.setattr(feedback, "_log", found)
    monkeypatch.setattr(feedback_send, "send", send)
    monkeypatch.setenv("AISLE_TAXONOMY", str(taxonomy))
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    load_settings.cache_clear()
    yield log
    load_settings.cache_clear()


def run(*arguments: str) -> Result:
    """Run `aisle feedback` with these arguments."""
    return CliRunner().invoke(feedback.command, list(arguments))


@pytest.mark.parametrize(
    ("arguments", "verdict", "code"),
    [
        (["teas"], "corrected", "teas"),
        (["Teas"], "corrected", "teas"),
        (["soups"], "validated", None),  # what was predicted
        (["--validate"], "validated", None),
        (["--reject"], "rejected", None),
        (["--withdraw"], "withdrawn", None),
    ],
)
def test_a_verdict_is_given_by_code_label_or_option(
    log: Log, arguments: list[str], verdict: str, code: str | None
) -> None:
    """It names event, product, author and note, and what it says is printed safely."""
    done = run("give", SOUP, *arguments, "--by", "ada", "--note", "why")

    assert 0 == done.exit_code, done.output
    (sent,) = log.sent
    assert (SOUP, "p-1", verdict, code, "ada", "why") == (
        sent.event_id,
        sent.product_id,
        sent.verdict,
        sent.code,
        sent.by,
        sent.note,
    )
    assert sent.feedback_id
    assert f"hot· soup: {verdict}" in done.output


def test_an_event_is_named_by_as_much_as_it_takes(log: Log) -> None:
    """In capitals too; a beginning that two share, or none has, is refused with what to do."""
    assert 0 == run("give", "FFFF", "teas").exit_code
    assert LONELY == log.sent[0].event_id
    for beginning, says in (("0b8e", "More than one"), ("0c", "No archived event"), ("x'\x1b", "No archived event")):
        failed = run("give", beginning, "teas").exception
        assert isinstance(failed, EventUnknown)
        assert says in str(failed)


@pytest.mark.parametrize("arguments", [[], ["teas", "--reject"]])
def test_a_verdict_says_one_thing(log: Log, arguments: list[str]) -> None:
    """Nothing at all, or two things at once, is wrong usage."""
    done = run("give", SOUP, *arguments)
    assert 2 == done.exit_code
    assert "CODE, or one of --validate, --reject and --withdraw" in done.output
    assert [] == log.sent


def test_a_note_that_is_too_long_is_wrong_usage(log: Log) -> None:
    """The message says which field and how long it may be."""
    done = run("give", SOUP, "teas", "--note", "x" * 2_001)
    assert 2 == done.exit_code
    assert "note: String should have at most 2000 characters" in done.output
    assert [] == log.sent


def test_a_code_that_is_none_is_refused_before_anything_is_sent(log: Log) -> None:
    """With the one that may have been meant."""
    failed = run("give", SOUP, "tea").exception
    assert isinstance(failed, CodeUnknown)
    assert "'tea' is none of the 3 codes of the taxonomy. Do you mean teas?" == str(failed)
    assert [] == log.sent


GOOD = f"event_id,code,verdict,by,at,note\n{SOUP},Teas,,,,\n{TEA},,validated,bob,2026-11-21T12:00:00Z,ok\n"
BAD = f"{SOUP},soap,,,,\nno id,teas,,,,\n{TEA},teas,validated,,,\n{TEA},,perhaps,,,\n,teas,,,,\n{TEA},teas\n"


def test_a_file_is_sent_with_ids_of_its_own(log: Log, tmp_path: Path) -> None:
    """The same file gives the same ids, in the order of its rows; an event that is not archived is said."""
    file = tmp_path / "verdicts.csv"
    file.write_text(GOOD + f"{SOUP[:-1]}9,jams,,,,\n", encoding="utf-8")
    first = run("import", str(file), "--by", "ada")
    again = run("import", str(file), "--by", "ada", "--json")

    assert (0, 0) == (first.exit_code, again.exit_code), first.output
    assert "3 verdicts sent" in first.output
    assert "1 name an event that is not archived" in first.output
    assert {"rows": 3, "sent": 3, "dry_run": False, "passed_over": [], "events_unknown": 1} == orjson.loads(
        again.stdout
    )
    assert log.sent[:3] == log.sent[3:]
    assert [("corrected", "teas", "ada"), ("validated", None, "bob"), ("corrected", "jams", "ada")] == [
        (one.verdict, one.code, one.by) for one in log.sent[:3]
    ]
    ids = [str(one.feedback_id) for one in log.sent[:3]]
    assert sorted(set(ids)) == ids
    assert datetime(2026, 11, 21, 12, tzinfo=UTC) == log.sent[1].at


def test_bad_rows_are_named_by_line_and_nothing_is_sent(log: Log, tmp_path: Path) -> None:
    """Unless the good ones are asked for by name."""
    file = tmp_path / "verdicts.csv"
    file.write_text(GOOD + BAD, encoding="utf-8")
    refused = run("import", str(file))

    assert isinstance(refused.exception, FeedbackRefused)
    assert "6 of 8 rows cannot be used; nothing was sent." in str(refused.exception)
    assert [] == log.sent
    lines = refused.stderr.splitlines()
    assert ["row 4", "row 5", "row 6", "row 7", "row 8", "row 9"] == [line[:5] for line in lines]
    for line, says in zip(
        lines, ("soap", "UUID", "code goes with", "verdict", "event_id or product_id", "2 fields"), strict=True
    ):
        assert says in line

    passed = run("import", str(file), "--skip-bad")
    assert 0 == passed.exit_code
    assert "2 verdicts sent" in passed.output
    assert 2 == len(log.sent)


def test_a_dry_run_checks_and_sends_nothing(log: Log, tmp_path: Path) -> None:
    """JSON lines are read as well, numbers as the text that they are."""
    file = tmp_path / "verdicts.jsonl"
    file.write_bytes(orjson.dumps({"product_id": 7, "code": "teas"}) + b"\n")
    done = run("import", str(file), "--dry-run")

    assert "1 verdicts would be sent" in done.output
    assert [] == log.sent


@pytest.mark.parametrize(("text", "says"), [("code\nteas\n", "no column event_id"), ("", "is empty")])
def test_a_file_of_something_else_is_refused(log: Log, tmp_path: Path, text: str, says: str) -> None:
    """One line says why."""
    file = tmp_path / "verdicts.csv"
    file.write_text(text, encoding="utf-8")
    failed = run("import", str(file))
    assert says in str(failed.exception)
    assert [] == log.sent


class Producer:
    """Takes records, and acknowledges so many of them."""

    def __init__(self, acknowledges: int) -> None:
        self.left = acknowledges
        self.keys: list[bytes] = []

    async def list_topics(self) -> list[str]:
        """There is one."""
        return ["feedback"]

    async def send(self, _topic: str, _value: bytes, *, key: bytes, headers: Any) -> "asyncio.Future[None]":  # noqa: ARG002 - the client's
        """Take a record."""
        self.keys.append(key)
        self.left -= 1
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.left >= 0:
            confirmed.set_result(None)
        else:
            confirmed.set_exception(KafkaTimeoutError())
        return confirmed


@pytest.mark.parametrize(("acknowledges", "sent"), [(2_500, None), (2_499, 2_000), (1_500, 1_000), (0, 0)])
async def test_a_broker_that_goes_away_leaves_word_of_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch, acknowledges: int, sent: int | None
) -> None:
    """Of verdicts that are not acknowledged nobody says that they were sent; what to do stands beside."""
    producer = Producer(acknowledges)

    @asynccontextmanager
    async def client(_bootstrap: str) -> AsyncIterator[Producer]:
        yield producer

    for name, value in (("admin_client", client), ("producer_client", client), ("find_kafka", str)):
        monkeypatch.setattr(feedback_send, name, value)
    verdicts = [Feedback(event_id=TEA, product_id="p", verdict="validated", by="ada")] * 2_500
    told: list[int] = []
    if sent is None:
        assert 2_500 == await feedback_send.send(verdicts, told.append)
        assert [1_000, 2_000, 2_500] == told
        assert {b"p"} == set(producer.keys)
        return
    with pytest.raises(DeliveryFailed, match=rf"At least {sent:,} were sent, .* Run it again"):
        await feedback_send.send(verdicts, told.append)


@pytest.mark.usefixtures("log")
def test_conflicts_are_shown_with_who_stands() -> None:
    """A line for the product and one for each person; JSON has all; more than the limit is said."""
    done = run("conflicts", "--limit", "1")
    lines = done.stdout.splitlines()
    assert 3 == len(lines)
    assert "hot· soup" in lines[0]
    assert (" ", "*") == (lines[1][0], lines[2][0])
    assert "more than these 1" in done.stderr
    (first, _) = orjson.loads(run("conflicts", "--json").stdout)
    assert [("ada", False), ("bob", True)] == [(one["by"], one["stands"]) for one in first["opinions"]]


def test_a_conflict_fits_the_terminal_whatever_people_write() -> None:
    """80 columns, no control character."""
    item = Judged(SOUP, "p", "\x1b[31m" + "long " * 40, None, None)
    lines = shown(Conflict(item, (opinion("n\x1b" * 50, "code " * 40), opinion("bob", None))))
    plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines]
    assert max(map(cell_len, plain)) <= 80
    assert all(line.isprintable() for line in plain)


def document(minute: int, by: str, verdict: str, code: str | None = None, event_id: str = SOUP) -> dict[str, Any]:
    """A verdict as it is stored."""
    at = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=minute)
    stored = {"_id": f"{minute}", "at": at, "event_id": event_id, "verdict": verdict, "by": by}
    return stored if code is None else stored | {"code": code}


def test_each_person_has_one_opinion_the_last() -> None:
    """In the order of time, whatever the order given; a withdrawal takes back what was said of its event before."""
    said = [
        document(1, "ada", "corrected", "teas"),
        document(2, "bob", "validated"),
        document(3, "ada", "corrected", "jams"),
        document(4, "eve", "rejected", event_id=TEA),
        document(5, "bob", "corrected", "jams", event_id=TEA),
    ]
    found = opinions_of(reversed(said), {SOUP: "soups"})
    assert [("ada", "jams", False), ("eve", None, False), ("bob", "jams", True)] == [
        (one.by, one.code, one.stands) for one in found
    ]
    found = opinions_of([*said, document(6, "eve", "withdrawn", event_id=TEA)], {SOUP: "soups"})
    assert [("bob", "soups", False), ("ada", "jams", True)] == [(one.by, one.code, one.stands) for one in found]
    assert [] == opinions_of([document(1, "ada", "withdrawn")], {})
