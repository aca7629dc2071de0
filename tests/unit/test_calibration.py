"""Threshold and calibration error."""

import numpy as np
import pytest

from model.calibration import expected_calibration_error, review_threshold


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    """Four answers, the least sure one wrong: three are accepted at full precision."""
    confidence, right = np.array([0.4, 0.9, 0.7, 0.6]), np.array([False, True, True, True])

    assert 0.6 == review_threshold(confidence, right, 1.0)
    assert 0.4 == review_threshold(confidence, right, 0.75)


def test_equal_confidences_are_accepted_or_reviewed_together() -> None:
    """A tie with a wrong answer in it cannot be cut in half."""
    assert 0.9 == review_threshold(np.array([0.9, 0.5, 0.5]), np.array([True, True, False]), 1.0)


def test_everything_is_reviewed_when_no_threshold_will_do() -> None:
    """A model that is never right accepts nothing, not even what rounding took to a confidence of 1."""
    assert review_threshold(np.array([1.0, 0.7]), np.array([False, False]), 0.95) > 1.0


def test_calibration_error_is_the_distance_of_confidence_and_accuracy() -> None:
    """Confidence .75 and half of them right: .25."""
    assert 0.25 == pytest.approx(expected_calibration_error(np.full(10, 0.75), np.arange(10) % 2 == 0))
    assert 0.0 == expected_calibration_error(np.ones(5), np.ones(5, bool))
