"""`aisle score`: rows that were never sent, and how they are answered."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.errors import StoreUnavailable
from infra.forgotten import Forgotten
from infra.lease import utc_now
from infra.settings import Settings
from model.data.dataset import ProductRow
from model.errors import DataInvalid
from schemas.errors import AisleError
from schemas.taxonomy import Taxonomy
from scripts import score, score_round
from scripts.errors import AccuracyTooLow
from scripts.score_round import Answer, Round


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four products, one without a category."""
    path = tmp_path / "unseen.csv"
    path.write_text("id,title,category\n1,Kettle,kettles\n2,Lamp,lamps\n3,Chair,\n4,Kettle of tin,kettles\n")
    return path


def answered(sent: int, answered: int, right: int, version: str = "1") -> Round:
    """Rows that went so."""
    good, bad, none = (Answer("a", code, version if code else None) for code in ("a", "b", None))
    return Round(utc_now(), [good] * right + [bad] * (answered - right) + [none] * (sent - answered))


def answering(monkeypatch: pytest.MonkeyPatch, *rounds: "Round | AisleError") -> list[float]:
    """Let rounds go so; how long it is waited between them."""
    left, pauses = list(rounds), list[float]()

    async def scored(*_: Any) -> Round:
        if isinstance(one := left.pop(0), AisleError):
            raise one
        return one

    monkeypatch.setattr(score_round, "score", scored)
    monkeypatch.setattr(score, "sleep", pauses.append)
    monkeypatch.setattr(score, "monotonic", lambda: sum(pauses))
    return pauses


def run(file: Path, *options: str) -> Result:
    """The command."""
    return CliRunner().invoke(score.command, [str(file), *options])


def test_the_accuracy_has_an_interval(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Of 50 rows one knows an accuracy within some percent."""
    answering(monkeypatch, *[answered(50, 49, 45)] * 2)
    printed = json.loads(run(file, "--json").stdout)
    low, high = printed.pop("interval")
    assert {"sent": 50, "answered": 49, "right": 45, "accuracy": 0.9, "models": ["1"]}.items() <= printed.items()
    assert 0.78 < low < 0.9 < high < 0.96
    assert "1 not answered" in run(file).stdout


def test_the_f1_is_that_of_the_rows() -> None:
    """Weighed by the categories' rows; what is not known to the model in service counts in accuracy alone."""
    rows = [("a", "a"), ("a", "b"), ("a", None), ("b", "b"), (None, "a")]
    one = Round(utc_now(), [Answer(truth, said, "1") for truth, said in rows])
    f1 = {"a": 2 * 1 / (1 + 3), "b": 2 * 1 / (2 + 1)}
    assert 2 == one.right
    assert one.weighted_f1 == pytest.approx((3 * f1["a"] + f1["b"]) / 4)
    assert Round(utc_now(), []).weighted_f1 is None


@pytest.mark.parametrize(("floor", "fails"), [("0.99", True), ("0.95", False), ("0.5", False)])
def test_it_fails_only_when_the_accuracy_is_surely_too_low(
    monkeypatch: pytest.MonkeyPatch, file: Path, floor: str, *, fails: bool
) -> None:
    """A schedule is not to be stopped by bad luck with 50 rows."""
    answering(monkeypatch, answered(50, 50, 45))
    assert fails is isinstance(run(file, "--min-accuracy", floor).exception, AccuracyTooLow)


def test_a_file_that_was_sent_as_a_whole_is_said(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """And is no failure."""
    answering(monkeypatch, answered(0, 0, 0))
    result = run(file, "--min-accuracy", "0.9")
    assert 0 == result.exit_code
    assert "was sent before" in result.stdout


def test_rounds_come_until_no_row_is_left(monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path) -> None:
    """A round that the store is away for is put off; each is noted and drawn, also after those of a former command."""
    out = tmp_path / "rounds" / "log.csv"
    rounds = answered(50, 50, 45), StoreUnavailable("away"), answered(10, 10, 5, "2"), answered(0, 0, 0)
    pauses = answering(monkeypatch, *rounds)
    result = run(file, "--every", "5m", "--out", str(out))
    assert (0, [300.0] * 3) == (result.exit_code, pauses)
    assert "5 of 10 right" in result.stdout
    assert "83.3% of 60 so far" in result.stdout
    assert "away" in result.stderr
    answering(monkeypatch, answered(50, 50, 40, "2"))
    assert 0 == run(file, "--out", str(out)).exit_code
    noted = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [("45", "1"), ("5", "2"), ("40", "2")] == [(row["right"], row["models"]) for row in noted]
    assert b"\x89PNG" == out.with_suffix(".png").read_bytes()[:4]


def test_what_no_wait_mends_ends_the_rounds(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """A file that cannot be read will not be readable in five minutes; and there are no more rounds than were asked."""
    pauses = answering(monkeypatch, DataInvalid("no file"))
    assert isinstance(run(file, "--every", "5m").exception, DataInvalid)
    answering(monkeypatch, *[answered(5, 5, 5)] * 2)
    assert 0 == run(file, "--every", "1s", "--rounds", "2").exit_code
    assert ([], 2) == (pauses, run(file, "--rounds", "2").exit_code)


def test_rows_with_a_category_are_sent_and_compared(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Those that are not in the archive; an answer that does not come is not right."""
    one, sent = scored(monkeypatch, file)
    assert (3, 2, 1) == (one.sent, one.answered, one.right)
    assert ["1", "2", "4"] == [row.id for row in sent]


def test_what_the_archive_never_has_is_never_due(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """A product that was forgotten by request, and one that no record holds: rounds come to an end without them."""
    with file.open("a") as rows:
        rows.write(f"5,{'x' * 2**20},lamps\n")
    one, sent = scored(monkeypatch, file, forgotten="2")
    assert ["1", "4"] == [row.id for row in sent]
    assert 2 == one.sent


def scored(monkeypatch: pytest.MonkeyPatch, file: Path, forgotten: str = "") -> tuple[Round, list[ProductRow]]:
    """A round with an archive that knows nothing yet; a product may be forgotten. And what was sent."""
    taxonomy = Taxonomy.from_labels(["kettles", "lamps"])
    sent: list[ProductRow] = []

    @asynccontextmanager
    async def opened(*_: Any) -> AsyncIterator[None]:
        yield None

    async def all_unseen(_: Any, some: Iterable[Any], count: int) -> list[Any]:
        return list(some)[:count]

    async def published(_: Any, rows: Sequence[ProductRow], *__: Any) -> None:
        sent.extend(rows)

    async def found(_: Any, event_ids: Sequence[str], __: float) -> dict[str, Any]:
        said = {"prediction": {"category": {"code": taxonomy.code_of("kettles")}}}
        return dict.fromkeys(event_ids[:2], said)

    async def refresh(known: Forgotten) -> bool:
        known._key = b"k"
        known._known = {known._hash("product", forgotten): utc_now()} if forgotten else {}
        return True

    manifest = SimpleNamespace(manifest=SimpleNamespace(taxonomy=taxonomy))
    monkeypatch.setattr("workers.monitor.champion.champion_of", lambda _: manifest)
    monkeypatch.setattr("scripts.stored.opened_store", opened)
    monkeypatch.setattr("infra.kafka.clients.producer_client", opened)
    monkeypatch.setattr("infra.endpoints.find_kafka", lambda _: "nowhere")
    monkeypatch.setattr("workers.monitor.answers.unseen", all_unseen)
    monkeypatch.setattr("workers.monitor.answers.answers", found)
    monkeypatch.setattr("streams.replay.file.publish", published)
    monkeypatch.setattr(Forgotten, "refresh", refresh)
    return asyncio.run(score_round.score(Settings(), file, 50, 1.0)), sent
