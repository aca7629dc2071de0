"""The classes' layer alone, on an encoder that stays as it is. Importing this module imports TensorFlow."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.encoder.learning import sharpen, surprise_of
from model.encoder.stage import EncoderStage
from model.encoder.weights import Floats
from model.stages import Truth

PENALTIES: Final = (0.01, 0.1, 1.0)
"""Inverse strengths of the L2 penalty to choose from on the validation part; features have unit variance."""

_NEVER = -20.0  # the bias of a class without rows


def fit_head(
    stage: EncoderStage,
    features: Floats,
    truth: Truth,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> None:
    """Fit multinomial logistic regression on the encoder's mean vectors.

    Args:
        stage: The stage, whose classes' layer changes.
        features: The rows' mean vectors, [rows, width].
        truth: Class index of each.
        train: Row numbers to learn from.
        validation: Row numbers that choose penalty and sharpness; the last fit learns from both.
    """
    penalty, sharpness = chosen(features, truth, stage.classes, train, validation)
    both = np.concatenate([train, validation])
    kernel, bias = logistic(features[both], truth[both], stage.classes, penalty)
    stage.network.head.kernel.assign(kernel)
    stage.network.head.bias.assign(bias)
    sharpen(stage, sharpness)


def chosen(
    features: Floats, truth: Truth, classes: int, train: NDArray[np.int64], validation: NDArray[np.int64]
) -> tuple[float, float]:
    """The penalty that leaves validation rows least surprising, and the sharpness that its answers need there."""
    best = (np.inf, PENALTIES[-1], 1.0)
    for penalty in PENALTIES if len(validation) else ():
        kernel, bias = logistic(features[train], truth[train], classes, penalty)
        sharpness, surprise = surprise_of(features[validation] @ kernel + bias, truth[validation])
        best = min(best, (surprise, penalty, sharpness))
    return best[1:]


def logistic(features: Floats, truth: Truth, classes: int, penalty: float) -> tuple[Floats, Floats]:
    """Multinomial logistic regression: kernel [width, classes] and bias [classes] for features as they are."""
    from sklearn.linear_model import LogisticRegression

    kernel, bias = np.zeros((features.shape[1], classes), np.float32), np.full(classes, _NEVER, np.float32)
    present = np.unique(truth)
    if len(present) < 2:
        bias[present] = 0.0
        return kernel, bias
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    solver = LogisticRegression(C=penalty, max_iter=1_000, tol=1e-5).fit((features - mean) / deviation, truth)
    inner, margin = solver.coef_.T, solver.intercept_
    if len(present) == 2:  # one row of weights tells two classes apart
        inner, margin = np.hstack([-inner, inner]) / 2, np.array([-margin[0], margin[0]]) / 2
    inner = inner / deviation[:, None]
    kernel[:, present] = inner
    bias[present] = margin - mean @ inner
    return kernel, bias
