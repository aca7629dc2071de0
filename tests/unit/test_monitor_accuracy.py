"""What verdicts say of a model: shares with intervals, by class, and when they are below what is asked for."""

import pytest

from model.report.schema import Interval
from workers.monitor.accuracy import MIN_VERDICTS, causes, scores, tells, wilson
from workers.monitor.seen import Judged


def judged(right: int, wrong: int, *, review: bool = False, code: str = "a", truth: str = "b") -> list[Judged]:
    """Answers ``code``, some of which were right and some of which are ``truth``."""
    return [Judged("v1", code, code, review)] * right + [Judged("v1", code, truth, review)] * wrong


def verdicts() -> list[Judged]:
    """Of 100 answers that need review 60 are right, and of 40 that do not 38."""
    return judged(60, 40, review=True) + judged(38, 2)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_gives_the_known_intervals(hits: int, of: int, low: float, high: float) -> None:
    """The last one is the example of Newcombe 1998, "Two-sided confidence intervals for the single proportion"."""
    found = wilson(hits, of)
    assert low == pytest.approx(found.low, abs=5e-5)
    assert high == pytest.approx(found.high, abs=5e-5)
    assert isinstance(found, Interval)


def test_accuracy_and_f1_have_intervals_around_them() -> None:
    """98 of 140 are right."""
    figures = scores(verdicts(), None)
    assert 98 / 140 == pytest.approx(figures["accuracy"])
    for name in ("accuracy", "weighted_f1"):
        low, high = figures[f"{name}_interval"]
        assert low < figures[name] < high


def test_verdicts_are_weighed_by_what_needs_review() -> None:
    """People judge what the model is unsure of: with 10 % of the answers of that kind, 0.1 x 0.6 + 0.9 x 0.95."""
    figures = scores(verdicts(), 0.1)
    assert 0.1 * 0.6 + 0.9 * 0.95 == pytest.approx(figures["weighed_accuracy"])
    low, high = figures["weighed_accuracy_interval"]
    assert low < figures["weighed_accuracy"] < high


def test_a_part_without_verdicts_leaves_only_the_plain_accuracy() -> None:
    """Nobody can tell how right answers are that nobody looks at."""
    assert "weighed_accuracy" not in scores(judged(60, 40, review=True), 0.1)


def test_a_part_that_there_is_not_needs_no_verdicts() -> None:
    """Where every answer needs review, those are all."""
    assert 0.6 == pytest.approx(scores(judged(60, 40, review=True), 1.0)["weighed_accuracy"])


@pytest.mark.parametrize(
    ("found", "told_of"),
    [
        ([], []),
        (judged(19, 0), []),
        (judged(29, 0), ["class a"]),
        (judged(20, 0) + judged(10, 0, code="b"), ["accuracy", "weighted F1", "class a"]),
        (judged(30, 0, code="b"), ["accuracy", "weighted F1", "class a", "class b"]),
    ],
)
def test_what_too_few_verdicts_are_about_is_not_told_of(found: list[Judged], told_of: list[str]) -> None:
    """Of all answers from 30 on, of a class from 20 on: below that nobody knows whether something is over."""
    figures = scores(found, None)
    assert told_of == [one for one in ("accuracy", "weighted F1", "class a", "class b") if tells(figures, one)]


def test_too_few_verdicts_say_nothing() -> None:
    """Counts are given, and no figure that would be mostly chance."""
    figures = scores(judged(0, MIN_VERDICTS - 1), 0.5)
    assert MIN_VERDICTS - 1 == figures["verdicts"]
    assert "accuracy" not in figures


def test_rejected_answers_are_counted_apart() -> None:
    """Where no category fits, none is right or wrong."""
    rejected = [Judged("v1", "a", None, needs_review=True)] * 3
    figures = scores(judged(40, 0) + rejected, None)
    assert (40, 3, 1.0) == (figures["verdicts"], figures["rejected"], figures["accuracy"])


def test_corrections_are_told_by_class_the_most_corrected_first() -> None:
    """Of the answers "a" none was corrected, of "c" half."""
    figures = scores(judged(20, 0) + judged(10, 10, code="c"), None)
    rates = [(line["code"], line["corrected"], line["rate"]) for line in figures["by_class"]]
    assert [("c", 10, 0.5), ("a", 0, 0.0)] == rates


def test_an_accuracy_that_is_surely_too_low_is_a_cause() -> None:
    """All of its interval is below the floor."""
    found = causes(scores(judged(50, 50), None), 0.7, 0.0)
    assert {"accuracy", "class a"} == set(found)
    assert "0.500" in found["accuracy"]


def test_an_accuracy_that_may_be_high_enough_is_none() -> None:
    """65 of 100 may come of an accuracy of 0.7."""
    assert {} == causes(scores(judged(65, 35), None), 0.7, 0.0)


def test_the_weighed_accuracy_counts_where_there_is_one() -> None:
    """Half of what needs review may be wrong without much being wrong."""
    some = judged(50, 50, review=True) + judged(100, 0)
    assert "accuracy" not in causes(scores(some, 0.05), 0.8, 0.0)
    assert "accuracy" in causes(scores(some, 0.95), 0.8, 0.0)


def test_a_weighted_f1_that_is_surely_too_low_is_a_cause() -> None:
    """Being better than asked never is."""
    figures = scores(judged(50, 50), None)
    assert "weighted F1" in causes(figures, 0.0, 0.65)
    assert {} == causes(figures, 0.0, 0.1)


def test_a_class_that_is_mostly_corrected_is_a_cause_of_its_own() -> None:
    """Though all classes together are right often enough."""
    found = causes(scores(judged(500, 0) + judged(2, 38, code="c", truth="a"), None), 0.7, 0.65)
    assert {"class c": "38 of 40 answers 'c' were corrected."} == found
