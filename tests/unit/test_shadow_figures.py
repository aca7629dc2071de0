"""What a model in the shadow has shown: agreement, confidence, and who is right by what people say."""

from datetime import UTC, datetime, timedelta

import pytest

from model.shadow import Pair, figures_of, judged_of, verdict_of

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _judged(champion: str, challenger: str, count: int, *, start: int = 0) -> list[Pair]:
    """Products that are teas, judged a minute apart."""
    return [
        Pair(champion, challenger, 0.6, 0.7, "teas", AT + timedelta(minutes=start + number)) for number in range(count)
    ]


def test_agreement_and_shift_have_intervals() -> None:
    """Wilson's interval for the share, that of a paired mean for the shift; against figures worked out by hand."""
    pairs = [Pair("teas", "teas", 0.5, 0.6)] * 90 + [Pair("teas", "soups", 0.5, 0.4)] * 10

    found = figures_of(pairs)
    assert found is not None
    assert (100, 0.9) == (found.products, found.agreement)
    assert pytest.approx((0.8256, 0.9448), abs=1e-4) == (found.agreement_interval.low, found.agreement_interval.high)
    assert pytest.approx(0.08) == found.confidence_shift
    assert pytest.approx(0.0118, abs=1e-4) == found.confidence_shift - found.shift_interval.low
    assert found.judged is None
    assert figures_of([]) is None
    assert figures_of(pairs[:1]) is not None


def test_who_is_right_is_told_by_the_products_on_which_they_differ() -> None:
    """McNemar's exact test: 2 against 10 gives p = 2 · (1 + 12 + 66) / 2^12; those both know say nothing."""
    pairs = _judged("teas", "soups", 2) + _judged("soups", "teas", 10) + _judged("teas", "teas", 50)

    found = judged_of([*pairs, Pair("teas", "soups", 0.5, 0.5)])
    assert found is not None
    assert (62, 2, 10) == (found.products, found.champion_only, found.challenger_only)
    assert pytest.approx(2 * (1 + 12 + 66) / 2**12) == found.p
    assert pytest.approx((52 / 62, 60 / 62)) == (found.champion_accuracy, found.challenger_accuracy)
    agreeing = judged_of(_judged("teas", "teas", 3))
    assert agreeing is not None
    assert 1.0 == agreeing.p


def test_a_challenger_needs_its_verdicts_and_an_advantage_beyond_chance() -> None:
    """Too few, none better, better by chance, worse: none of these is a promotion."""
    assert not verdict_of(_judged("soups", "teas", 19), 20).better
    assert "19 of the 20 verdicts" in verdict_of(_judged("soups", "teas", 19), 20).why
    assert not verdict_of(_judged("teas", "teas", 20), 20).better
    assert not verdict_of(_judged("soups", "teas", 5) + _judged("teas", "teas", 15, start=5), 20).better
    assert not verdict_of(_judged("teas", "soups", 20), 20).better
    assert verdict_of(_judged("soups", "teas", 7) + _judged("teas", "teas", 13, start=7), 20).better


def test_who_looks_again_and_again_finds_nothing_more_by_chance() -> None:
    """Between two looks the judgement stays what it was at the last one, and each look asks for more."""
    even = _judged("teas", "teas", 20)
    lucky = even + _judged("soups", "teas", 19, start=20)
    assert not verdict_of(lucky, 20).better  # 19 more in its favour, and yet it is the first twenty that count
    assert verdict_of(lucky + _judged("teas", "teas", 1, start=39), 20).better
    seven = _judged("soups", "teas", 7)
    assert verdict_of(seven + _judged("teas", "teas", 13, start=7), 20).better  # p = 0.016 at the first look: below
    assert not verdict_of(even + seven + _judged("teas", "teas", 13, start=40), 20).better  # 0.025, and not 0.0125
