"""Drift: columns cut into bins, how far their shares differ, and when that counts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.drift.bins import OTHER, bins_for, cut_numbers, p_value, pool_categories, psi
from model.drift.compare import compare
from model.reference import Profile, profile, read_reference, write_reference
from model.rows import Rows


def counted(seed: int, rows: int = 2_000, *, length: float = 40, french: float = 0.6, confidence: float = 8) -> Profile:
    """Products with titles of a mean length, some of them French, and answers that are more or less sure."""
    draw = np.random.default_rng(seed)
    languages: Sequence[str] = draw.choice(["fr", "en"], rows, p=[french, 1 - french]).tolist()
    return Profile.count(
        rows,
        {
            "title length": draw.poisson(length, rows).tolist(),
            "confidence": draw.beta(confidence, 2, rows).round(3).tolist(),
        },
        {"language": languages},
    )


def test_psi_is_what_the_formula_gives_by_hand() -> None:
    """Shares of 0.5, 0.5 and then 0.7, 0.3: 0.2 ln(1.4) + 0.2 ln(5/3) = 0.1695."""
    assert 0.0672944 + 0.1021651 == pytest.approx(psi({"a": (50, 70), "b": (50, 30)}), abs=1e-6)


def test_psi_of_equal_shares_is_zero() -> None:
    """What counts are the shares, not how many rows there are."""
    assert psi({"a": (10, 100), "b": (30, 300)}) == pytest.approx(0.0)


def test_an_empty_bin_counts_as_a_ten_thousandth() -> None:
    """A bin that nothing falls into any more makes the index great, and not infinite."""
    expected = (0.5 - 1.0) * np.log(0.5 / 1.0) + (0.5 - 0.0001) * np.log(0.5 / 0.0001)
    assert expected == pytest.approx(psi({"a": (50, 100), "b": (50, 0)}))


@pytest.mark.parametrize(
    ("reference", "current", "bins"), [(5_000, 5_000, 10), (200, 200, 6), (50, 50, 2), (100, 100_000, 5)]
)
def test_small_samples_have_few_bins(reference: int, current: int, bins: int) -> None:
    """So that the index expected of chance, (B - 1)(1/n + 1/m), stays at 0.05 or below."""
    assert bins == bins_for(reference, current, 10)


def test_numbers_are_cut_at_the_quantiles_of_the_reference() -> None:
    """Each bin has as many of its values; what is below or above them all has a place too."""
    binned = cut_numbers([(float(value), 1) for value in range(1, 101)], [(-5.0, 3), (50.0, 2), (1e6, 4)], 4)
    assert {"up to 25": (25, 3), "25 to 50": (25, 2), "50 to 75": (25, 0), "over 75": (25, 4)} == binned


def test_a_value_that_most_rows_have_takes_one_bin() -> None:
    """Products without a description, of length 0, do not make bins of nothing."""
    binned = cut_numbers([(0.0, 90), (10.0, 10)], [(0.0, 10), (10.0, 90)], 10)
    assert {"up to 0": (90, 10), "over 0": (10, 90)} == binned


def test_categories_beyond_the_bins_and_new_ones_are_pooled() -> None:
    """A category that was never seen counts with the rare ones."""
    binned = pool_categories({"a": 50, "b": 30, "c": 2}, {"a": 5, "new": 7, "c": 1}, 3)
    assert {"a": (50, 5), "b": (30, 0), OTHER: (2, 8)} == binned


def test_names_of_bins_cannot_end_a_pages_script() -> None:
    """Categories are named by users, and the names stand in a script of the page."""
    (name, _) = pool_categories({"</script><b>": 5, "a": 3}, {}, 3).keys()
    assert not set("<>&") & set(name)


def test_no_drift_within_one_distribution() -> None:
    """Other rows of the same kind have not drifted: 40 comparisons of three columns, none of which counts."""
    reference = counted(0)
    assert [] == [name for seed in range(1, 41) for name in compare(reference, counted(seed)).drifted]


@pytest.mark.parametrize(
    ("column", "now"),
    [
        ("title length", counted(1, length=47)),
        ("language", counted(1, french=0.3)),
        ("confidence", counted(1, confidence=4)),
    ],
)
def test_the_column_that_has_shifted_is_named(column: str, now: Profile) -> None:
    """And no other one."""
    drift = compare(counted(0), now)
    assert [column] == drift.drifted
    assert 1 / 3 == pytest.approx(drift.share)


def test_a_difference_of_few_rows_is_no_drift() -> None:
    """With 50 rows the index is great by chance: the test has to agree."""
    binned = {"a": (25, 15), "b": (25, 35)}
    assert psi(binned) > 0.16
    assert p_value(binned) > 0.01
    now = Profile.count(50, {}, {"language": ["fr"] * 15 + ["en"] * 35})
    before = Profile.count(50, {}, {"language": ["fr"] * 25 + ["en"] * 25})
    assert [] == compare(before, now, drifted=0.1).drifted


def test_the_p_value_is_that_of_the_chi_square_test() -> None:
    """(25, 15; 25, 35) has a statistic of 4.1667 with one degree of freedom, beyond which lie 4.12 %."""
    assert 0.041227 == pytest.approx(p_value({"a": (25, 15), "b": (25, 35)}), abs=1e-6)
    assert 1.0 == p_value({"a": (25, 15)})


def test_a_column_with_too_few_values_is_named_and_not_judged() -> None:
    """Rather no word on it than a wrong one."""
    drift = compare(counted(0), counted(1, rows=20))
    assert [] == drift.columns
    assert {"title length", "confidence", "language"} == set(drift.skipped)
    assert 0.0 == drift.share


def test_a_reference_comes_back_from_its_bundle_without_texts(tmp_path: Path) -> None:
    """It has counts of what products look like, and nothing that they say."""
    rows = Rows(["Blue kettle", "Théière rouge"], ["", "Une théière"])
    made = profile(rows, ["en", "fr"], predicted=["10", "20"], confidence=[0.51234, 0.9])
    write_reference(tmp_path, made)
    assert made == read_reference(tmp_path)
    assert [(11.0, 1), (13.0, 1)] == made.numbers["title length"]
    assert [(0.512, 1), (0.9, 1)] == made.numbers["confidence"]
    assert "kettle" not in (tmp_path / "reference.json").read_text()


def test_a_bundle_without_a_reference_has_none(tmp_path: Path) -> None:
    """Bundles that were made before they had one still serve."""
    assert read_reference(tmp_path) is None
