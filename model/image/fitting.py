"""The fit of the image network's head: a linear classifier on features that stay as they are.

One-vs-rest ridge regression, since its answers to each row by a fit without that row have a closed form: penalty and
temperature come from all rows, as if each had been held out, at the price of one fit.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataInvalid

PENALTIES: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""That are tried, in units of the mean squared length of a centred feature vector."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Truth = NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """A linear classifier.

    Args:
        coefficients: [features, classes].
        bias: [classes].
        temperature: What margins are divided by before the softmax.
    """

    coefficients: Floats
    bias: Floats
    temperature: float


def principal_axes(features: Floats) -> Floats:
    """Axes that keep all that a sample's features can tell apart, [features, at most rows].

    A linear classifier with an L2 penalty on the sample is the same along these axes as on the features, which
    are many times more; so only one sample of photos is ever held at full length.

    Args:
        features: [rows, features].
    """
    gram = features.astype(np.float64) @ features.T.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    kept = values > max(values[-1], 1e-12) * 1e-6
    axes: Floats = (features.T @ (vectors[:, kept] / np.sqrt(values[kept]))).astype(np.float32)
    return axes


def fit_linear(features: Floats, truth: Truth, classes: int) -> Linear:
    """Fit one-vs-rest ridge regressions and their temperature.

    Args:
        features: [rows, features].
        truth: Class index of each row, in [0, classes). A class without rows is never chosen.
        classes: How many classes there are.

    Raises:
        DataInvalid: The rows are all of one class.
    """
    if len(np.unique(truth)) < 2:
        raise DataInvalid("The photos to learn from are of a single category.", hint="Add photos of the others.")
    centre = features.mean(axis=0, dtype=np.float64)
    moved = features - centre
    targets = np.where(truth[:, None] == np.arange(classes), 1.0, -1.0)
    means = targets.mean(axis=0)
    values, vectors = np.linalg.eigh(moved.T @ moved)
    values = np.maximum(values, 0)
    along = moved @ vectors
    projected = along.T @ (targets - means)
    found = []
    for penalty in PENALTIES:
        shrunk = 1 / (values + penalty * values.sum() / len(truth))
        margins = _without_each(along, shrunk, projected, targets, means)
        temperature, surprise = _fit_temperature(margins, truth)
        found.append((surprise, temperature, shrunk))
    _, temperature, shrunk = min(found, key=lambda one: one[0])
    coefficients = vectors @ (shrunk[:, None] * projected)
    bias = means - centre @ coefficients
    return Linear(coefficients.astype(np.float32), bias.astype(np.float32), temperature)


def _without_each(along: Doubles, shrunk: Doubles, projected: Doubles, targets: Doubles, means: Doubles) -> Doubles:
    """The margins of each row by a fit without it (Allen 1974, the PRESS residual)."""
    leverage = np.minimum((along * along) @ shrunk + 1 / len(along), 1 - 1e-6)
    residual = targets - means - along @ (shrunk[:, None] * projected)
    margins: Doubles = targets - residual / (1 - leverage)[:, None]
    return margins


def _fit_temperature(margins: Doubles, truth: Truth) -> tuple[float, float]:
    """The temperature that makes rows likeliest (Guo et al. 2017, section 4.2), and the mean surprise with it."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def surprise(log_temperature: float) -> float:
        answers = log_softmax(margins / np.exp(log_temperature), axis=1)
        return float(-answers[np.arange(len(truth)), truth].mean())

    best = minimize_scalar(surprise, bounds=(np.log(0.001), np.log(100)), method="bounded")
    return float(np.exp(best.x)), float(best.fun)
