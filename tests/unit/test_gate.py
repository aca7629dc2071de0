"""The gate: nothing goes into service that is worse, or that was only measured by what it had learned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.settings import Settings
from model import gate_contest
from model.bundle import OUT_OF_FOLD, SEEN_KEYS, Labels, read_manifest
from model.data.dataset import RowProblems
from model.data.labelled import LabelledData, row_key
from model.decision import Decision
from model.gate import judge
from model.rows import Rows
from schemas.taxonomy import Taxonomy
from tests.bundles import make_bundle

CODES = ("soups", "teas", "jams")


@dataclass
class Row:
    """A row, and what each of the two makes of it."""

    truth: str
    champion: str
    challenger: str
    part: str = "golden"


def rows(number: int, truth: str, champion: str, challenger: str, part: str = "golden") -> list[Row]:
    """Some that are alike."""
    return [Row(truth, champion, challenger, part)] * number


class FakeCascade:
    """Answers what it is told to, by title, with a confidence."""

    def __init__(self, said: Mapping[str, str], codes: tuple[str, ...], confidence: float) -> None:
        self._said, self._codes, self._confidence = said, codes, confidence
        self.asked: set[str] = set()

    def answer(self, some: Rows) -> Any:
        """Probabilities of some rows."""
        self.asked |= set(some.titles)
        found = np.full((len(some), len(self._codes)), (1 - self._confidence) / (len(self._codes) - 1))
        for number, title in enumerate(some.titles):
            found[number, self._codes.index(self._said[title])] = self._confidence
        return SimpleNamespace(probabilities=found)


Judge = Callable[..., Decision]


@pytest.fixture
def decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Judges rows by what the two make of them."""
    turn = count()

    def judged(  # noqa: PLR0913 - one argument a thing that varies
        some: list[Row],
        *,
        learned: tuple[list[int], list[int]] = ([], []),
        out_of_fold: list[int] | None = None,
        codes: tuple[tuple[str, ...], tuple[str, ...]] = (CODES, CODES),
        confidence: tuple[float, float] = (0.9, 0.9),
        titles: list[str] | None = None,
        size: int = 0,
        best: float | None = None,
        **rules: Any,
    ) -> Decision:
        names = titles or [f"product {number}" for number in range(len(some))]
        keys = np.array([row_key(name, "") for name in names], np.uint64)
        data = data_of(names, [row.truth for row in some], keys)
        cascades = {}
        for number, name in enumerate(("champion", "challenger")):
            bundle = make_bundle(tmp_path / f"models-{next(turn)}", name, codes=codes[number])
            np.save(bundle / SEEN_KEYS, keys[learned[number]])
            said = {title: getattr(row, name) for title, row in zip(names, some, strict=True)}
            cascades[bundle] = FakeCascade(said, codes[number], confidence[number])
        if out_of_fold is not None:
            np.save(bundle / OUT_OF_FOLD, np.array(out_of_fold))
        if size:
            (bundle / "text" / "weights").write_bytes(b"0" * size)
        monkeypatch.setattr(gate_contest, "load_cascade", lambda path: (read_manifest(path), cascades[path]))
        golden, verdicts = (np.array([row.part == part for row in some]) for part in ("golden", "verdict"))
        paths = list(cascades)
        return judge(
            paths[0], paths[1], data, golden, Settings(**{"gate_speed_share": None} | rules), verdicts, best=best
        )

    return judged


def data_of(titles: list[str], codes: list[str], keys: NDArray[np.uint64]) -> LabelledData:
    """A data set in memory."""
    taxonomy = Taxonomy.from_labels([*CODES, "breads"])
    products = Rows(titles, [""] * len(titles))
    return LabelledData(Path("rows.jsonl"), "0", products, np.array(codes), keys, taxonomy, RowProblems())


GOLDEN = [*rows(90, "soups", "soups", "soups"), *rows(90, "teas", "teas", "teas"), *rows(20, "teas", "soups", "soups")]


def test_better_on_the_golden_set_passes(decide: Judge) -> None:
    """By a hundredth of weighted F1; the reason has the figures."""
    decision = decide([*GOLDEN, *rows(4, "jams", "soups", "jams")])

    assert decision.passed
    assert decision.golden is not None
    assert decision.golden.gain > 0.01
    assert "4 titles mended and 0 broken" in decision.reasons[0]
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


def test_as_good_as_before_does_not_pass(decide: Judge) -> None:
    """A change for its own sake helps nobody, and may hurt."""
    decision = decide(GOLDEN)

    assert not decision.passed
    assert "neither on the golden set" in decision.reasons[0]


@pytest.mark.parametrize(("mended", "expected"), [(5, False), (6, True), (40, True)])
def test_better_on_verdicts_passes_beyond_chance(decide: Judge, mended: int, expected: bool) -> None:
    """Five verdicts of five prove nothing, though each draw of the bootstrap is as good; six do."""
    decision = decide([*GOLDEN, *rows(mended, "jams", "soups", "jams", "verdict")])

    assert expected == decision.passed
    assert decision.verdicts is not None
    assert mended == decision.verdicts.mended


def test_better_on_verdicts_does_not_make_up_for_worse_on_golden(decide: Judge) -> None:
    """What people said last is not all that there is."""
    some = [*GOLDEN, *rows(4, "soups", "soups", "teas"), *rows(50, "jams", "soups", "jams", "verdict")]

    decision = decide(some)

    assert not decision.passed
    assert "worse on the golden set by more than 0.005" in decision.reasons[0]


def test_the_same_title_many_times_is_one_proof(decide: Judge) -> None:
    """A flood of one product says no more than one of it."""
    some = [*GOLDEN, *rows(50, "jams", "soups", "jams", "verdict")]
    titles = [f"product {min(number, len(GOLDEN))}" for number in range(len(some))]

    decision = decide(some, titles=titles)

    assert not decision.passed
    assert decision.verdicts is not None
    assert (50, 1) == (decision.verdicts.rows, decision.verdicts.mended)


def test_a_category_that_loses_recall_is_named(decide: Judge) -> None:
    """However much better the rest is; also where it loses on golden rows and wins on verdicts, as swapped ones do."""
    some = [
        *GOLDEN,
        *rows(36, "jams", "jams", "jams"),
        *rows(4, "jams", "jams", "soups"),
        *rows(60, "jams", "soups", "jams", "verdict"),
        *rows(30, "teas", "soups", "teas"),
    ]

    decision = decide(some)

    assert not decision.passed
    assert [("jams", 40, "golden", 1.0, 0.9)] == [
        (loss.code, loss.rows, loss.part, loss.before, loss.after) for loss in decision.losses
    ]
    assert "Jams (jams): recall 1.000 → 0.900 on 40 rows, golden" in decision.reasons[0]
    assert decide(some, gate_recall_loss=None).passed
    assert decide(some, gate_class_rows=101).passed


@pytest.mark.parametrize(("lost", "passes"), [(2, True), (3, False)])
def test_five_points_of_recall_may_go(decide: Judge, lost: int, passes: bool) -> None:
    """Two of forty rows are five points, and no more than that."""
    some = [
        *GOLDEN,
        *rows(40 - lost, "jams", "jams", "jams"),
        *rows(lost, "jams", "jams", "soups"),
        *rows(30, "teas", "soups", "teas"),
    ]

    assert passes == decide(some).passed


def test_a_loss_that_chance_explains_does_not_count(decide: Judge) -> None:
    """Three rows lost and one won are ten points of twenty rows, and happen to every other model; unless asked to."""
    some = [
        *GOLDEN,
        *rows(16, "jams", "jams", "jams"),
        *rows(3, "jams", "jams", "soups"),
        *rows(1, "jams", "soups", "jams"),
        *rows(30, "teas", "soups", "teas"),
    ]

    assert decide(some).passed
    decision = decide(some, gate_recall_chance=1)
    assert [("jams", 0.3125)] == [(loss.code, loss.chance) for loss in decision.losses]
    assert not decision.passed


def test_what_one_has_learned_counts_for_nobody(decide: Judge) -> None:
    """Not for the champion, not for the challenger; the decision says how many were left out."""
    some = [*GOLDEN, *rows(40, "jams", "soups", "jams", "verdict"), *rows(10, "jams", "soups", "jams")]
    first = len(GOLDEN)

    decision = decide(some, learned=(list(range(first, first + 20)), list(range(first + 20, first + 50))))

    assert not decision.passed
    assert decision.golden is not None
    assert decision.verdicts is not None
    assert (200, 10) == (decision.golden.rows, decision.golden.left_out)
    assert (0, 40) == (decision.verdicts.rows, decision.verdicts.left_out)


@pytest.mark.parametrize(("said", "passes"), [("jams", True), ("soups", False)])
def test_what_the_challenger_learned_counts_by_what_it_said_before(decide: Judge, said: str, passes: bool) -> None:
    """Verdicts that it learned from are held out in its cross-validation: what it has by heart proves nothing."""
    some = [*GOLDEN, *rows(8, "jams", "soups", "jams", "verdict")]
    taught = list(range(len(GOLDEN), len(some)))
    heard = [-1] * len(GOLDEN) + [CODES.index(said)] * 8

    decision = decide(some, learned=([], taught), out_of_fold=heard)

    assert passes == decision.passed
    assert decision.verdicts is not None
    assert 8 == decision.verdicts.rows
    assert not decide(some, learned=(taught, taught), out_of_fold=heard).passed  # the champion has learned them too


def test_to_mend_what_any_model_mends_proves_nothing(decide: Judge) -> None:
    """People correct mistakes: another model is right on half of the golden ones, and on half of theirs."""
    golden = [
        *rows(60, "soups", "soups", "soups"),
        *rows(20, "teas", "soups", "teas"),
        *rows(20, "teas", "soups", "jams"),
    ]
    broken = rows(20, "soups", "soups", "jams")  # as many as it mends: no better on the whole
    corrected = [*rows(15, "jams", "soups", "jams", "verdict"), *rows(15, "jams", "soups", "teas", "verdict")]
    never = {"gate_recall_loss": None, "gate_ece_loss": None, "gate_f1_gain": 1.0, "gate_f1_loss": 1.0}

    assert not decide([*golden, *broken, *corrected], **never).passed
    assert decide([*golden, *broken, *rows(30, "jams", "soups", "jams", "verdict")], **never).passed


def test_small_losses_do_not_add_up(decide: Judge) -> None:
    """A model as good as its champion is refused where a former champion was better by more than one may lose."""
    some = [*GOLDEN, *rows(8, "jams", "soups", "jams", "verdict")]

    assert decide(some, best=0.90).passed
    decision = decide(some, best=0.95)
    assert not decision.passed
    assert "a former champion had 0.9500" in decision.reasons[0]


def test_without_golden_rows_nothing_passes(decide: Judge) -> None:
    """Then nobody can say what was forgotten."""
    decision = decide(rows(50, "jams", "soups", "jams", "verdict"))

    assert not decision.passed
    assert "no golden row" in decision.reasons[0]


def test_a_category_that_the_champion_does_not_know(decide: Judge) -> None:
    """It gets it wrong, whatever it says; a new model that knows it is better."""
    some = [*GOLDEN, *rows(40, "jams", "soups", "jams", "verdict")]

    assert decide(some, codes=(("soups", "teas"), CODES)).passed


def test_a_category_that_the_challenger_has_lost(decide: Judge) -> None:
    """It is named, though the new model has no such column."""
    some = [*GOLDEN, *rows(40, "jams", "jams", "soups"), *rows(90, "teas", "soups", "teas")]

    decision = decide(some, codes=(CODES, ("soups", "teas")))

    assert ["jams"] == [loss.code for loss in decision.losses]
    assert not decision.passed


def test_confidence_has_to_stay_true(decide: Judge) -> None:
    """A model that is right more often and believes itself too little, or too much, is refused; with few rows not."""
    some = [*GOLDEN, *rows(4, "jams", "soups", "jams")]

    decision = decide(some, confidence=(0.9, 0.6))

    assert not decision.passed
    assert "calibrated" in decision.reasons[0]
    assert decide(some, confidence=(0.9, 0.6), gate_ece_rows=205).passed
    assert decide(some, confidence=(0.9, 0.6), gate_ece_loss=None).passed


def test_a_model_may_not_be_much_larger(decide: Judge) -> None:
    """Or it would fill the disks of all workers."""
    some = [*GOLDEN, *rows(4, "jams", "soups", "jams")]

    decision = decide(some, size=1_000)

    assert not decision.passed
    assert "too large" in decision.reasons[0]
    assert decide(some, size=1_000, gate_size_factor=None).passed


def test_a_model_may_not_be_much_slower(decide: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the best of several turns, so that a machine that does something else in one of them decides nothing."""
    some, calls = [*GOLDEN, *rows(4, "jams", "soups", "jams")], count()

    def seconds(cascade: FakeCascade, _: Rows) -> float:
        return 1.0 + (cascade._said["product 200"] == "jams") + 100 * (next(calls) < 16)

    monkeypatch.setattr(gate_contest, "_seconds", seconds)

    assert decide(some, gate_speed_share=0.5).passed
    decision = decide(some, gate_speed_share=0.51)

    assert not decision.passed
    assert "too slow: 32 → 16 rows a second" in decision.reasons[0]


def test_without_a_champion_any_model_is_better(tmp_path: Path) -> None:
    """There is nothing to compare with, and somebody has to begin."""
    bundle = make_bundle(tmp_path, "first", categories=[Labels(code="teas", labels={"": "Teas"})])
    nothing = np.zeros(0, np.bool_)

    decision = judge(None, bundle, data_of([], [], np.zeros(0, np.uint64)), nothing, Settings())

    assert decision.passed
    assert ["there is no champion"] == decision.reasons
