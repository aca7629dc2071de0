"""`aisle dlq`: which letters its arguments choose, and what it asks before it acts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from unittest.mock import AsyncMock

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from infra.dead_letters import Action, Choice, Letter
from infra.errors import TopicMissing
from infra.settings import load_settings
from schemas.dead_letter import Stage
from scripts import dlq
from scripts.dlq_choice import _STAGES
from scripts.errors import DeadLetterUnknown, LettersRefused
from scripts.times import Moment
from tests.unit.test_dlq_view import letter


class Letters:
    """Dead letters in memory; keeps what is noted."""

    def __init__(self, *given: Letter) -> None:
        self.given = given
        self.noted: list[Action] = []
        self.asked: list[Choice] = []

    async def find(
        self, choice: Choice, states: Any, *, newest_first: bool = True, limit: int | None = None
    ) -> AsyncIterator[Letter]:
        """Those in these states."""
        assert newest_first == (limit == 51)
        self.asked.append(choice)
        ids = choice.event_ids
        found = [one for one in self.given if one.state in states and (ids is None or one.event_id in ids)]
        for one in found[:limit]:
            yield one

    async def read(self, ids: list[str]) -> AsyncIterator[Letter]:
        """Those with these ids."""
        for one in self.given:
            if one.event_id in ids:
                yield one

    async def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The ids that begin so."""
        return [one.event_id for one in self.given if one.event_id.startswith(prefix)][:limit]

    async def note(self, actions: Any) -> None:
        """Keep actions."""
        self.noted += actions


def numbered(count: int) -> list[Letter]:
    """Open letters with ids of their own."""
    return [letter(f"{number:08x}-0000-4000-8000-000000000000") for number in range(count)]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Letters]:
    """What the commands find: twelve open letters, one that was dropped."""
    dropped = letter("ffffffff-0000-4000-8000-000000000000")
    done = Action(dropped.event_id, "dropped", "ada", datetime.now(UTC), 1)
    letters = Letters(*numbered(12), letter(dropped.event_id, actions=(done,)))

    @asynccontextmanager
    async def found() -> AsyncIterator[Letters]:
        yield letters

    monkeypatch.setattr(dlq, "_dead_letters", found)
    monkeypatch.setenv("AISLE_DATA_DIR", str(tmp_path))
    load_settings.cache_clear()
    yield letters
    load_settings.cache_clear()


def run(*arguments: str) -> Result:
    """Run `aisle dlq` with these arguments."""
    return CliRunner().invoke(dlq.command, list(arguments))


@pytest.mark.parametrize(
    ("text", "ago"), [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("7d", 604_800), ("1w", 604_800)]
)
def test_a_time_may_be_so_long_ago(text: str, ago: int) -> None:
    """2h means two hours before now."""
    expected = datetime.now(UTC) - timedelta(seconds=ago)
    assert abs(Moment().convert(text, None, None) - expected) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T16:00:00Z", datetime(2026, 11, 21, 16, tzinfo=UTC)),
        ("2026-11-21T16:00+02:00", datetime(2026, 11, 21, 14, tzinfo=UTC)),
        ("2026-11-21 16:00", datetime(2026, 11, 21, 16).astimezone(UTC)),
        ("2026-11-21", datetime(2026, 11, 21).astimezone(UTC)),
    ],
)
def test_a_time_may_be_iso_8601(text: str, moment: datetime) -> None:
    """With an offset or local."""
    assert moment == Moment().convert(text, None, None)


@pytest.mark.parametrize(
    "text", ["", "now", "2", "h", "-2h", "2y", "999999w", "0001-01-01T00:00+14:00", "2026-13-01", "\u0662h"]
)
def test_what_is_no_time_is_wrong_usage(text: str) -> None:
    """The error says how to write one."""
    with pytest.raises(click.BadParameter, match="2h for two hours ago"):
        Moment().convert(text, None, None)


@pytest.mark.parametrize("what", ["retry", "drop"])
@pytest.mark.parametrize(
    "arguments", [[], ["--limit", "3"], ["--again"], ["00000001", "--all"], ["00000001", "--limit", "1"]]
)
def test_nothing_is_chosen_by_accident(store: Letters, what: str, arguments: list[str]) -> None:
    """Whoever names no event and no filter means something else, and so does who does both."""
    result = run(what, *arguments)
    assert (2, []) == (result.exit_code, store.noted)


def test_many_are_not_acted_on_without_a_word(store: Letters) -> None:
    """Where there is nobody to ask, more than ten letters want --yes; a dry run does not, and does nothing."""
    assert 2 == run("drop", "--all").exit_code
    assert "12 would be dropped" in run("drop", "--all", "--dry-run").stdout
    assert [] == store.noted
    assert "3 dropped" in run("drop", "--all", "--limit", "3").stdout
    assert "12 dropped" in run("drop", "--all", "--yes").stdout
    assert 15 == len(store.noted)


def test_a_drop_is_noted_with_who_and_why(store: Letters) -> None:
    """Under the attempts that it is about, so that another failure opens the letter again."""
    run("drop", "00000003", "--why", "spam")
    (noted,) = store.noted
    assert ("dropped", 1, "spam") == (noted.what, noted.attempts, noted.why)
    assert noted.event_id == store.given[3].event_id
    assert noted.by


def test_what_is_settled_is_not_dropped_again(store: Letters) -> None:
    """It is named, the others are dropped, and the command fails."""
    result = run("drop", "ffffffff", "00000002", "--json")
    assert isinstance(result.exception, LettersRefused)
    assert "refused: ffffffff-0000-4000-8000-000000000000: It is dropped already." in result.stderr
    told = orjson.loads(result.stdout)
    assert [store.given[2].event_id] == [action.event_id for action in store.noted]
    assert (1, ["ffffffff-0000-4000-8000-000000000000"]) == (
        told["dropped"],
        [one["event_id"] for one in told["refused"]],
    )


@pytest.mark.usefixtures("store")
def test_a_retry_without_its_topic_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a broker made anew there is nowhere to send to until `aisle topics create` was run."""

    @asynccontextmanager
    async def connected(_bootstrap: str) -> AsyncIterator[AsyncMock]:
        yield AsyncMock(list_topics=AsyncMock(return_value=["feedback"]))

    monkeypatch.setattr("infra.send_again.admin_client", connected)
    monkeypatch.setenv("AISLE_KAFKA_BOOTSTRAP", "nowhere.invalid:1")
    error = run("retry", "00000001").exception
    assert isinstance(error, TopicMissing)
    assert "no topic products.in" in error.message


@pytest.mark.parametrize(
    ("beginning", "says"),
    [
        ("0000", "More than one .* 00000000-0000-4000-8000-000000000000, .*, …"),
        ("abc", "No dead letter .* 'abc'"),
        ("$ne", "No dead letter"),
        ("\x1b[31m", "No dead letter .*x1b"),
        ("", "No dead letter"),
    ],
)
def test_an_event_is_named_by_a_beginning_that_is_its_own(store: Letters, beginning: str, says: str) -> None:
    """Any other is an error that helps, whatever it holds."""
    with pytest.raises(DeadLetterUnknown, match=says):
        CliRunner().invoke(dlq.command, ["show", beginning], catch_exceptions=False)
    assert store.given[10].event_id in run("show", "0000000A").stdout


def test_filters_reach_the_store(store: Letters) -> None:
    """Stage, reason and time are the store's to look for."""
    run("list", "--stage", "infer", "--reason", "event-poisonous", "--since", "2026-11-21T10:00Z", "--until", "2h")
    (asked,) = store.asked
    assert ("infer", "event-poisonous") == (asked.stage, asked.reason)
    query = asked.query()["dead_letter.at"]
    assert query["$gte"] == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert query["$lt"] == asked.until


def test_a_list_has_the_open_ones_or_all(store: Letters) -> None:
    """What was dropped is listed with --all only; JSON has whole ids and no content."""
    shown, every = (orjson.loads(run("list", "--json", *more).stdout) for more in ([], ["--all"]))
    assert (12, 13) == (len(shown), len(every))
    assert ["open", "dropped"] == [every[0]["state"], every[12]["state"]]
    assert not {"key", "value", "headers"} & set(shown[0])
    store.given = ()
    assert "no open dead letters\n" == run("list").stdout


def test_a_list_that_is_cut_says_so(store: Letters) -> None:
    """On standard error, where it is in no program's way."""
    store.given = tuple(numbered(60))
    result = run("list")
    assert 51 == len(result.stdout.splitlines())
    assert "more than these 50" in result.stderr


def test_the_stages_are_those_of_the_contract() -> None:
    """The option knows each stage that a dead letter may name."""
    assert get_args(Stage) == _STAGES
