"""The cascade: each row goes through as many stages as it needs, and their answers become one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.asking import Ask, Indices, ask, logger
from model.errors import BundleInvalid
from model.fusion import Pool, softmax
from model.rows import MODALITIES, Rows
from model.stages import LogProbabilities, Reader, Stage

PRIOR: Final = -1
"""In place of a stage's number: no stage had anything to read."""

_BITS: Final = np.array([1, 2, 4])  # of title, description and image
_NO_PHOTO: Final = 3
_BROKEN_PHOTO: Final = "the photo cannot be decoded"
_NO_NUMBER: Final = "its answer is not a number"


@dataclass(frozen=True)
class Answers:
    """What the cascade makes of some rows.

    Args:
        probabilities: [rows, classes], calibrated.
        stage: Number of the last stage that each row was asked of; `PRIOR` for none.
        used: Which modalities the answer rests on, [rows, title | description | image].
        failed: By row and stage, why the stage could not answer although it had something to read.
    """

    probabilities: NDArray[np.float32]
    stage: NDArray[np.int64]
    used: NDArray[np.bool_]
    failed: dict[int, dict[str, str]]


class Route:
    """The way of rows through stages: who is asked about which row, and what all answers come to.

    Args:
        stages: The cheapest first; what they answer is given to `walk`.
        pools: Weights and thresholds, for each set of modalities and each point to stop at.
        prior: Probability of each class for a row without anything to read.
        offsets: What is added to the log-probability of each class; empty: nothing.

    Raises:
        BundleInvalid: There are no weights for a case that can come up.
    """

    def __init__(
        self, stages: Sequence[Reader], pools: Sequence[Pool], prior: Sequence[float], offsets: Sequence[float] = ()
    ) -> None:
        self._names = [stage.name for stage in stages]
        self._prior = np.array(prior, np.float32)
        self._offsets = np.array(offsets or np.zeros(len(prior)), np.float32)
        count, sets = len(stages), 1 << len(MODALITIES)
        self._reads = np.array([[modality in stage.reads for modality in MODALITIES] for stage in stages])
        kinds = np.array([[bool(kind & bit) for bit in _BITS.tolist()] for kind in range(sets)])
        self._asks = (kinds @ self._reads.T.astype(np.int64)) > 0  # [sets of modalities, stages]
        self._weights = np.zeros((sets, count, count), np.float32)
        self._lapse = np.zeros((sets, count), np.float32)
        self._stop_at = np.zeros((sets, count))  # in full precision: just above 1 is never
        given = {(pool.modalities, pool.stages): pool for pool in pools}
        for kind in range(1, sets):
            asked = np.flatnonzero(self._asks[kind])
            names = tuple(name for name, has in zip(MODALITIES, kinds[kind], strict=True) if has)
            for position, number in enumerate(asked, 1):
                before = asked[:position]
                pool = given.get((names, tuple(self._names[one] for one in before)))
                if pool is None:
                    raise BundleInvalid(
                        f"The manifest has no weights for {' and '.join(names)} after {self._names[number]}.",
                        hint="Train a new bundle.",
                    )
                self._weights[kind, number, before] = pool.weights
                self._lapse[kind, number] = pool.lapse
                self._stop_at[kind, number] = pool.stop_at if position < len(asked) else 0.0

    def walk(self, present: NDArray[np.bool_], call: Callable[[int, Indices], LogProbabilities]) -> Answers:
        """Take rows through the stages.

        Args:
            present: Which modalities each row has, [rows, title | description | image].
            call: Gives a stage's answers, by its number and the rows' indices; NaN where it cannot answer. A row that
                it raises on keeps the answer of the stages before.

        Raises:
            Exception: What `call` raises on rows that no stage before has answered.
        """
        kind, count, classes = present @ _BITS, len(present), len(self._prior)
        probabilities = np.tile(self._prior, (count, 1))
        last, used = np.full(count, PRIOR), np.zeros((count, len(MODALITIES)), np.bool_)
        logs = np.zeros((len(self._names), count, classes), np.float32)
        failed: dict[int, dict[str, str]] = {}
        unsure = np.flatnonzero(kind)
        for number, name in enumerate(self._names):
            asked = unsure[self._asks[kind[unsure], number]]
            if not len(asked):
                continue
            found, why = self._ask(number, partial(call, number), asked, last[asked] != PRIOR)
            if why:
                lost = asked[list(why)]
                for row, reason in zip(lost.tolist(), why.values(), strict=True):
                    failed.setdefault(row, {})[name] = reason
                if self._reads[number, -1]:  # as if there had been no photo
                    kind[lost] &= _NO_PHOTO
                    for former in set(last[lost].tolist()) - {PRIOR}:
                        again = lost[last[lost] == former]
                        probabilities[again] = self._pooled(former, kind, logs, again)
                asked, found = np.delete(asked, list(why)), np.delete(found, list(why), axis=0)
            logs[number, asked] = found
            shares = self._pooled(number, kind, logs, asked)
            probabilities[asked], last[asked] = shares, number
            used[asked] |= self._reads[number] & present[asked]
            sure = shares.max(axis=1) >= self._stop_at[kind[asked], number]
            unsure = np.setdiff1d(unsure, asked[sure], assume_unique=True)
        return Answers(probabilities, last, used, failed)

    def _ask(
        self, number: int, call: Ask, rows: Indices, answered: NDArray[np.bool_]
    ) -> tuple[LogProbabilities, dict[int, str]]:
        """A stage's answers, and by position why it has none.

        A photo may turn out to be broken. A text that gets no number shows a broken network: where no stage before it
        has answered, it stays NaN, which is an error for who reads it.
        """
        name, looks = self._names[number], bool(self._reads[number, -1])
        found, why = ask(name, call, rows, answered, len(self._prior))
        silent = np.flatnonzero(np.isnan(found[:, 0]) & (answered | looks)).tolist()
        if not looks and len(silent) > len(why):
            logger.warning("stage %s answers %d of %d rows with no number", name, len(silent) - len(why), len(rows))
        return found, {row: why.get(row, _BROKEN_PHOTO if looks else _NO_NUMBER) for row in silent}

    def _pooled(
        self, number: int, kind: NDArray[np.int64], logs: LogProbabilities, rows: Indices
    ) -> NDArray[np.float64]:
        """Probabilities of rows once the stages up to this one have answered."""
        weights = self._weights[kind[rows], number, : number + 1]
        shares = softmax(np.einsum("rs,src->rc", weights, logs[: number + 1, rows]) + self._offsets)
        lapse = self._lapse[kind[rows], number, None]
        result: NDArray[np.float64] = (1 - lapse) * shares + lapse / shares.shape[1]
        return result


class Cascade(Route):
    """Stages in service, in the order of their cost.

    Args:
        stages: The cheapest first.
        pools: Weights and thresholds, for each set of modalities and each point to stop at.
        prior: Probability of each class for a row without anything to read.
        offsets: What is added to the log-probability of each class; empty: nothing.

    Raises:
        BundleInvalid: There are no weights for a case that can come up.
    """

    def __init__(
        self, stages: Sequence[Stage], pools: Sequence[Pool], prior: Sequence[float], offsets: Sequence[float] = ()
    ) -> None:
        super().__init__(stages, pools, prior, offsets)
        self.stages = list(stages)

    def answer(self, rows: Rows) -> Answers:
        """Classify rows; blocks."""

        def call(number: int, asked: Indices) -> LogProbabilities:
            some = rows if len(asked) == len(rows) else rows.take(asked)
            return self.stages[number].log_probabilities(some)

        return self.walk(rows.present, call)
