"""The classes' layer alone, on an encoder that stays as it is. Importing this module imports TensorFlow."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.encoder.learning import sharpen, surprise_of
from model.encoder.stage import EncoderStage
from model.encoder.tokens import Texts
from model.encoder.weights import Floats
from model.stages import Progress, Truth

PENALTIES: Final = (0.01, 0.1, 1.0)
"""Inverse strengths of the L2 penalty to choose from on the validation part; features have unit variance."""

_NEVER = -20.0  # the bias of a class without rows


def fit_head(
    stage: EncoderStage,
    texts: Texts,
    truth: Truth,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    progress: Progress,
) -> None:
    """Fit multinomial logistic regression on the encoder's mean vectors, computed once.

    Args:
        stage: The stage, whose classes' layer changes.
        texts: The rows' tokens.
        truth: Class index of each.
        train: Row numbers to learn from.
        validation: Row numbers that choose penalty and sharpness; the last fit learns from both.
        progress: Told which part is done.
    """
    features = stage.features(texts, lambda part: progress(0.8 * part))
    best = (np.inf, 1.0, PENALTIES[-1])
    for number, penalty in enumerate(PENALTIES if len(validation) else ()):
        _assign(stage, *_fitted(features[train], truth[train], stage.classes, penalty))
        kernel, bias = stage.network.head.kernel.numpy(), stage.network.head.bias.numpy()
        sharpness, surprise = surprise_of(features[validation] @ kernel + bias, truth[validation])
        best = min(best, (surprise, sharpness, penalty))
        progress(0.8 + 0.1 * (number + 1) / len(PENALTIES))
    _assign(stage, *_fitted(features, truth, stage.classes, best[2]))
    sharpen(stage, best[1])
    progress(1.0)


def _fitted(features: Floats, truth: Truth, classes: int, penalty: float) -> tuple[Floats, Floats]:
    """Kernel [width, classes] and bias [classes] for features as they are."""
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


def _assign(stage: EncoderStage, kernel: Floats, bias: Floats) -> None:
    stage.network.head.kernel.assign(kernel)
    stage.network.head.bias.assign(bias)
