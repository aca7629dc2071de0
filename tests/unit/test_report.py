"""The report's figures: equal to those computed by hand, and the same after a trip through JSON."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from model.bundle import DataFacts, Manifest
from model.evaluation import Evaluation, evaluate
from model.report.bootstrap import Bootstrap, interval
from model.report.build import HeldOut, build_report, coverage_curve
from model.report.data_card import describe_data
from model.report.mistakes import shown, sure_mistakes
from model.report.rivals import Rival, compare
from model.report.schema import TrainingReport
from model.report.slices import Grounds, slices
from model.report.tallies import accuracy, macro_f1, tally, weighted_f1
from model.rows import Rows

CATEGORIES = [("tea", "Tea"), ("wine", "Wine"), ("book", "Book")]
THEMES = ["drinks", "drinks", "paper"]
TRUTH = np.array([0, 0, 1, 1, 2, 2])
SAID = np.array([0, 1, 1, 2, 2, 2])
CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.95, 0.6, 0.5])
TITLES = ["green tea", "black tea", "red wine", "wine atlas", "novel", "novel"]


def _probabilities() -> np.ndarray:
    """Rows that answer ``SAID`` with ``CONFIDENCE``, and share the rest evenly."""
    rest = np.repeat((1 - CONFIDENCE)[:, None] / 2, 3, axis=1)
    rest[np.arange(6), SAID] = CONFIDENCE
    return rest


def _evaluation() -> Evaluation:
    return evaluate(_probabilities(), TRUTH, CATEGORIES, 0.75, THEMES)


def _manifest() -> Manifest:
    """As much of a manifest as a report reads."""
    construct: Any = Manifest.model_construct
    manifest: Manifest = construct(
        name="shelf",
        version="",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        seed=7,
        auto_accept_precision=0.95,
        categories=[None] * 3,
        prior=[0.45, 0.45, 0.1],
        libraries={"numpy": "2.4"},
    )
    return manifest


@pytest.fixture(scope="module")
def report() -> TrainingReport:
    """All of them, with a rival and settings."""
    return _build()


def _build() -> TrainingReport:
    products = Rows(TITLES, ["hot"] * 3 + [""] * 3)
    held_out = HeldOut(products, _probabilities(), TRUTH, np.array([1, 2, 3, 4, 5, 5], np.uint64), ["en"] * 5 + ["fr"])
    rival = Rival("former", "champion", np.array([0, 0, 1, 1, 1, -1]), rows_per_s=100.0, own_rows_per_s=200.0)
    return build_report(_manifest(), _evaluation(), held_out, rivals=[rival], settings={"test_share": 0.2})


def test_themes_are_rolled_up() -> None:
    """Wine taken for tea is in the right theme, wine taken for a book is not."""
    drinks, paper = _evaluation().themes

    assert ("drinks", 2, 4) == (drinks.theme, drinks.classes, drinks.rows)
    assert (0.5, 0.75, 1.0) == (drinks.accuracy, drinks.theme_accuracy, drinks.precision)
    assert (1.0, 1.0) == (paper.accuracy, paper.theme_accuracy)
    assert 2 / 3 == pytest.approx(paper.precision)
    assert 5 / 6 == pytest.approx(_evaluation().theme_accuracy)


@pytest.mark.parametrize("themes", [(), [None] * 3, ["all"] * 3, ["a", "b", "c"]])
def test_themes_that_say_nothing_are_left_out(themes: list[str | None]) -> None:
    """No theme, one for all, or one for each class."""
    evaluation = evaluate(_probabilities(), TRUTH, CATEGORIES, 0.75, themes)

    assert [] == evaluation.themes
    assert evaluation.theme_accuracy is None


def test_the_coverage_curve_keeps_equal_confidences_together() -> None:
    """Each point counts all rows from its threshold on."""
    curve = coverage_curve(np.array([0.5, 0.9, 0.5, 0.7]), np.array([True, True, False, True]))

    assert [(0.9, 0.25, 1.0), (0.7, 0.5, 1.0), (0.5, 1.0, 0.75)] == [
        (point.threshold, point.coverage, point.precision) for point in curve
    ]


def test_a_long_curve_is_thinned_to_its_ends() -> None:
    """200 points of many, the first and the last among them."""
    confidence = np.linspace(0, 1, 5_000)
    curve = coverage_curve(confidence, confidence > 0.5)

    assert 200 == len(curve)
    assert (1.0, 0.0) == (curve[0].threshold, curve[-1].threshold)
    assert 1.0 == curve[-1].coverage


def test_confused_pairs_are_counted(report: TrainingReport) -> None:
    """Each direction is a pair of its own; right answers are none."""
    pairs = report.confused

    assert [("tea", "wine", 1, 0.5), ("wine", "book", 1, 0.5)] == [
        (pair.truth, pair.said, pair.rows, pair.share) for pair in pairs
    ]


def test_the_surest_mistake_comes_first(report: TrainingReport) -> None:
    """With what the model gave the right category."""
    first, second = report.mistakes

    assert ("wine atlas", "wine", "book", 0.95) == (first.text, first.truth, first.said, first.confidence)
    assert 0.025 == pytest.approx(first.truth_probability)
    assert (["title"], ["title", "description"]) == (first.modalities, second.modalities)


def test_mistakes_of_one_text_are_one() -> None:
    """Twins that are wrong alike are counted."""
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7], [0.9, 0.1]])
    mistakes = sure_mistakes(Rows(["a", "a", "a"], [""] * 3), probabilities, np.array([0, 0, 1]), ["x", "y"])

    assert [("y", 0.9, 1), ("x", 0.8, 2)] == [(one.truth, one.confidence, one.rows) for one in mistakes]


def test_slices_are_the_parts_that_are_not_all(report: TrainingReport) -> None:
    """Photos, which no row has, make no slice; the rare class is the one with a fifth of its share."""
    parts = {part.name: part for part in report.slices}

    assert {
        *("en", "fr", "with description", "without description"),
        *("rare categories", "other categories"),
    } == parts.keys()
    assert 3 == parts["with description"].rows
    assert 2 / 3 == pytest.approx(parts["with description"].accuracy)
    assert (2, 1.0, None) == (
        *(parts["rare categories"].rows, parts["rare categories"].accuracy),
        parts["rare categories"].interval,
    )
    assert 0.45 == pytest.approx(parts["rare categories"].ece)


def test_slices_by_title_length_and_photo() -> None:
    """The bounds are characters, and belong to the slice below."""
    rows = Rows(["a" * 20, "b" * 21, ""], ["", "", "text"], [b"photo", None, None])
    right = np.array([True, False, True])
    grounds = Grounds(rows, np.zeros(3, np.bool_), decided_by=["text", "image", "image"])
    parts = slices(grounds, np.full(3, 0.8), right, np.arange(3))

    assert {"1 to 20 characters": 1.0, "21 to 40 characters": 0.0, "with photo": 1.0, "without photo": 0.5}.items() <= {
        part.name: part.accuracy for part in parts
    }.items()
    assert {"with title", "without title", "text", "image"} <= {part.name for part in parts}


def test_a_language_of_a_few_rows_has_no_slice_of_its_own() -> None:
    """One row in a hundred and more has; the others are together."""
    count = 300
    rows = Rows(["title"] * count, [""] * count)
    grounds = Grounds(rows, np.zeros(count, np.bool_), languages=["fr"] * 294 + ["en"] * 3 + ["de"] * 2 + [""])
    parts = slices(grounds, np.full(count, 0.8), np.ones(count, np.bool_), np.arange(count))

    assert {"fr": 294, "en": 3, "other or unknown": 3} == {
        one.name: one.rows for one in parts if one.kind == "language"
    }


def test_the_comparison_is_of_the_same_rows(report: TrainingReport) -> None:
    """Scores by scikit-learn, an interval around their difference, an answer of no class is wrong."""
    comparison = report.comparisons[0]
    other = np.array([0, 0, 1, 1, 1, -1])

    assert f1_score(TRUTH, other, labels=[0, 1, 2], average="weighted") == pytest.approx(comparison.weighted_f1)
    assert f1_score(TRUTH, SAID, average="weighted") == pytest.approx(comparison.own_weighted_f1)
    assert f1_score(TRUTH, SAID, average="macro") == pytest.approx(comparison.own_macro_f1)
    assert 4 / 6 == pytest.approx(comparison.accuracy)
    difference = comparison.weighted_f1_difference
    assert difference.low <= comparison.own_weighted_f1 - comparison.weighted_f1 <= difference.high


def test_a_rival_is_compared_on_rows_it_has_not_seen() -> None:
    """Others would flatter it; without any there is no comparison."""
    mask = np.array([True, True, False, False, False, False])

    some = compare(Rival("r", "other", TRUTH, mask), SAID, TRUTH, np.arange(6), classes=3, seed=0)
    none = compare(Rival("r", "other", TRUTH, ~np.ones(6, np.bool_)), SAID, TRUTH, np.arange(6), classes=3, seed=0)

    assert some is not None
    assert (2, 1.0, 0.5) == (some.rows, some.accuracy, some.own_accuracy)
    assert none is None


def test_equal_models_differ_by_nothing() -> None:
    """The rounds are paired: the same rows are drawn for both."""
    same = compare(Rival("twin", "champion", SAID), SAID, TRUTH, np.arange(6), classes=3, seed=0)

    assert same is not None
    assert (0.0, 0.0) == (same.weighted_f1_difference.low, same.weighted_f1_difference.high)


def test_the_bootstrap_draws_whole_groups() -> None:
    """Twins are drawn equally often, every round draws as many groups as there are, and each call draws the same."""
    bootstrap = Bootstrap(np.array([9, 9, 4, 7]), seed=1, rounds=50)
    drawn = bootstrap.sums(np.eye(4))

    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    np.testing.assert_array_equal(np.full(50, 3), drawn[:, [0, 2, 3]].sum(axis=1))
    np.testing.assert_array_equal(drawn, bootstrap.sums(np.eye(4)))
    assert len(np.unique(drawn, axis=0)) > 5


def test_the_interval_is_that_of_the_binomial() -> None:
    """For single rows the bootstrap's spread is known: 1.96 standard errors each way."""
    right = np.arange(400) < 320
    found = interval(Bootstrap(np.arange(400), seed=3).sums(right[:, None])[:, 0] / 400)

    error = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert 0.8 - error == pytest.approx(found.low, abs=0.01)
    assert 0.8 + error == pytest.approx(found.high, abs=0.01)


def test_tallies_give_the_scores_of_the_rows_they_count() -> None:
    """A row counted twice is two rows; the scores are scikit-learn's."""
    weights = np.array([2, 0, 1, 1, 3, 1])
    truth, said = (np.repeat(side, weights) for side in (TRUTH, SAID))
    tallies = weights @ tally(TRUTH, SAID, 3)

    assert f1_score(truth, said, average="weighted") == pytest.approx(weighted_f1(tallies))
    assert f1_score(truth, said, average="macro") == pytest.approx(macro_f1(tallies))
    assert (truth == said).mean() == pytest.approx(accuracy(tallies))


def test_the_data_card_counts() -> None:
    """Twins, twins of two categories, and what is missing."""
    facts = DataFacts.model_construct(file="f.csv", sha256="0" * 64, rows=6, train=4, test=2, skipped=4)
    rows = Rows(["a", "a", "b", "b", "c", ""], ["x", "", "", "", "", "y"])
    codes, keys = np.array(["1", "2", "1", "1", "2", "2"]), np.array([1, 1, 2, 2, 3, 4], np.uint64)
    card = describe_data(facts, rows, codes, keys, ["fr", "fr", "en", "", "fr", ""])

    assert (4, 2) == (card.duplicates, card.conflicting)
    assert {"title": 1, "description": 4, "image": 6} == card.missing
    assert {"1": 3, "2": 3} == card.classes
    assert {"fr": 3, "en": 1, "": 2} == card.languages
    assert (6, 4) == (card.rows, card.skipped)


def test_the_json_is_the_report(report: TrainingReport) -> None:
    """What is written is read again as the same; another version of the format is refused."""
    assert report == TrainingReport.model_validate_json(report.model_dump_json())
    with pytest.raises(ValueError, match="format"):
        TrainingReport.model_validate({**report.model_dump(), "format": 2})


def test_the_same_input_gives_the_same_report(report: TrainingReport) -> None:
    """The bootstrap is seeded."""
    assert _build() == report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\nc", "a·b c"),
        ("abc\u202edef", "abc·def"),
        ("\ud800 half", "· half"),
        ("x" * 300, "x" * 199 + "…"),
        ("قهوة", "قهوة"),
        ("👨\u200d🍳", "👨\u200d🍳"),
    ],
)
def test_text_of_strangers_is_one_harmless_line(text: str, expected: str) -> None:
    """Controls, lone surrogates and direction marks are gone; letters of every script stay."""
    assert expected == shown(text)
