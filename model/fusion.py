"""How the answers of several stages become one, with probabilities one may believe.

Late fusion by a log-linear pool (Genest & Zidek 1986): p(c) is proportional to the product over the stages run of
p_s(c)^w_s, with weights fitted on held-out rows for each set of modalities and each point at which the cascade may
stop. With one stage the weight is the inverse of the temperature of Guo et al. 2017, so that fusing and
calibrating are one thing; a modality that is missing is another set of weights, never a zero in its place.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from model.stages import LogProbabilities, Truth
from schemas.prediction import Modality

Floats = NDArray[np.float64]

FEWEST_ROWS = 30
"""Fewer held-out rows than this fit nothing: then each stage counts alike."""

NEVER: Final = float(np.nextafter(1.0, 2.0))
"""A confidence that no answer reaches; 1 will not do, as rounding takes sure answers there."""

_DRAWN_TO_START = 1e-3  # keeps the weight of a stage finite that is right on every held-out row
_RANGE = (-4.6, 4.6)  # of a weight's logarithm: 0.01 to 100


class Pool(BaseModel):
    """The weights for rows that have just these modalities, once just these stages have answered.

    A row whose fused confidence reaches ``stop_at`` is asked no further.
    """

    model_config = ConfigDict(frozen=True)

    modalities: tuple[Modality, ...]
    stages: tuple[str, ...] = Field(description="Those that have answered, in order.")
    weights: tuple[float, ...]
    stop_at: float = Field(default=0.0, description="Confidence from which no further stage is asked.")


def pooled(answers: Sequence[LogProbabilities], weights: Sequence[float]) -> Floats:
    """Probabilities [rows, classes] of stages' answers by one set of weights."""
    total = np.zeros(answers[0].shape, np.float64)
    for answer, weight in zip(answers, weights, strict=True):
        total += weight * answer
    return softmax(total)


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities [rows, classes] of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def fit_weights(answers: Sequence[LogProbabilities], truth: Truth) -> tuple[float, ...]:
    """The weights that make held-out rows likeliest, all above 0.

    Args:
        answers: Of each stage, on rows that its fit did not see.
        truth: Their classes.
    """
    count = len(answers)
    start = np.full(count, -np.log(count))
    if len(truth) < FEWEST_ROWS:
        return tuple(np.exp(start).tolist())

    from scipy.optimize import minimize

    rows = np.arange(len(truth))
    logs = np.stack([answer.astype(np.float64) for answer in answers])
    of_truth = logs[:, rows, truth]

    def surprise(log_weights: Floats) -> tuple[float, Floats]:
        """Mean negative log-likelihood and its gradient."""
        weights = np.exp(log_weights)
        logits = np.tensordot(weights, logs, 1)
        highest = logits.max(axis=1, keepdims=True)
        norm = np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0]
        shares = np.exp(logits - norm[:, None])
        expected = np.einsum("src,rc->sr", logs, shares)
        away = log_weights - start
        value = (norm - weights @ of_truth).mean() + _DRAWN_TO_START * (away @ away)
        gradient = weights * (expected - of_truth).mean(axis=1) + 2 * _DRAWN_TO_START * away
        return float(value), gradient

    best = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=[_RANGE] * count)
    return tuple(np.exp(best.x).tolist())


def stop_threshold(confidence: Floats, right: NDArray[np.bool_], right_later: NDArray[np.bool_], loss: float) -> float:
    """The lowest confidence from which asking no further costs at most so much accuracy.

    Args:
        confidence: Of held-out rows, at this point of the cascade.
        right: Whether the answer here is right.
        right_later: Whether the answer of all stages is.
        loss: Share of all rows that may be wrong by stopping here.

    Returns:
        A confidence; `NEVER` where every stop costs more.
    """
    order = np.argsort(-confidence, kind="stable")
    lost = np.cumsum(right_later[order].astype(np.int64) - right[order])
    ends = np.append(np.diff(confidence[order]) != 0, True)
    usable = np.flatnonzero((lost <= loss * len(order)) & ends)
    return float(confidence[order][usable[-1]]) if len(usable) else NEVER
