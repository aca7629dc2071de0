"""How the answers of several stages become one, with probabilities one may believe.

Late fusion by a log-linear pool (Genest & Zidek 1986): p(c) is proportional to the product over the stages run of
p_s(c)^w_s, with weights fitted on held-out rows for each set of modalities and each point at which the cascade may
stop. With one stage the weight is the inverse of the temperature of Guo et al. 2017, so that fusing and
calibrating are one thing; a modality that is missing is another set of weights, never a zero in its place.

No weight makes up for rows of which the answers say nothing: mislabelled ones, or products unlike all that was
learned. As many as there are of them, so much of the probability goes to all classes alike (the lapse rate of Wichmann
& Hill 2001, "The psychometric function"). Without it the sure answers are too sure, and, as the weights give way, the
unsure ones not sure enough. It never changes which class is the likeliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
_LAPSES = (1e-6, 0.3)  # more would be no model; 0 would make a row impossible that a sure answer gets wrong
_FIRST_LAPSE = 0.01


class Pool(BaseModel):
    """The weights for rows that have just these modalities, once just these stages have answered.

    A row whose fused confidence reaches ``stop_at`` is asked no further.
    """

    model_config = ConfigDict(frozen=True)

    modalities: tuple[Modality, ...]
    stages: tuple[str, ...] = Field(description="Those that have answered, in order.")
    weights: tuple[float, ...]
    lapse: float = Field(default=0.0, ge=0, lt=1, description="Part of the probability that all classes share alike.")
    stop_at: float = Field(default=0.0, description="Confidence from which no further stage is asked.")


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the answers of some stages are weighed.

    Args:
        weights: One a stage.
        lapse: Part of the probability that all classes share alike.
    """

    weights: tuple[float, ...]
    lapse: float = 0.0


def pooled(answers: Sequence[LogProbabilities], weighing: Weighing) -> Floats:
    """Probabilities [rows, classes] of stages' answers."""
    total = np.zeros(answers[0].shape, np.float64)
    for answer, weight in zip(answers, weighing.weights, strict=True):
        total += weight * answer
    result: Floats = (1 - weighing.lapse) * softmax(total) + weighing.lapse / answers[0].shape[1]
    return result


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities [rows, classes] of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def fit_weighing(answers: Sequence[LogProbabilities], truth: Truth) -> Weighing:
    """The weights, all above 0, and the lapse that make held-out rows likeliest.

    Args:
        answers: Of each stage, on rows that its fit did not see.
        truth: Their classes.
    """
    count, classes = len(answers), answers[0].shape[1]
    start = np.full(count, -np.log(count))
    if len(truth) < FEWEST_ROWS:
        return Weighing(tuple(np.exp(start).tolist()))

    from scipy.optimize import minimize

    rows = np.arange(len(truth))
    logs = np.stack([answer.astype(np.float64) for answer in answers])
    of_truth = logs[:, rows, truth]

    def surprise(parameters: Floats) -> tuple[float, Floats]:
        """Mean negative log-likelihood and its gradient, by the logarithms of the weights and by the lapse."""
        log_weights, lapse = parameters[:-1], parameters[-1]
        weights = np.exp(log_weights)
        shares = softmax(np.tensordot(weights, logs, 1))
        known = shares[rows, truth]
        likely = (1 - lapse) * known + lapse / classes
        expected = np.einsum("src,rc->sr", logs, shares)
        away = log_weights - start
        value = -np.log(likely).mean() + _DRAWN_TO_START * (away @ away)
        by_weight = -weights * ((1 - lapse) * known / likely * (of_truth - expected)).mean(axis=1)
        by_lapse = -((1 / classes - known) / likely).mean()
        return float(value), np.append(by_weight + 2 * _DRAWN_TO_START * away, by_lapse)

    bounds = [_RANGE] * count + [_LAPSES]
    best = minimize(surprise, np.append(start, _FIRST_LAPSE), jac=True, method="L-BFGS-B", bounds=bounds)
    return Weighing(tuple(np.exp(best.x[:-1]).tolist()), float(best.x[-1]))


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
