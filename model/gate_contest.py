"""Champion and challenger asked about the same rows."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.bundle import OUT_OF_FOLD, SEEN_KEYS, Manifest
from model.calibration import expected_calibration_error
from model.cascade import Cascade
from model.chance import chance_of
from model.classifier import load_cascade
from model.data.labelled import LabelledData
from model.decision import Compared, Pair, RecallLoss
from model.report.rivals import Rival, compare
from model.rows import Rows

_Mask = NDArray[np.bool_]

_BATCH: Final = 32
_BATCHES: Final = 8
_ROUNDS: Final = 5


class RecallRules(Protocol):
    """How much recall a category may lose."""

    gate_recall_loss: float | None
    gate_recall_chance: float
    gate_class_rows: int


class _Side:
    """One of the two: its answers to the rows that count, and its confidence in them."""

    def __init__(self, bundle: Path, data: LabelledData) -> None:
        self.manifest: Manifest
        self.cascade: Cascade
        self.manifest, self.cascade = load_cascade(bundle)
        self.seen: _Mask = np.isin(data.keys, np.load(bundle / SEEN_KEYS, allow_pickle=False))
        self.size_bytes = sum((bundle / name).stat().st_size for name in self.manifest.files)
        self.said = np.full(len(data), -1)
        self.confidence = np.zeros(len(data))

    def answer(self, data: LabelledData, rows: NDArray[np.int64], classes: dict[str, int]) -> None:
        """Ask it about some rows."""
        probabilities = self.cascade.answer(data.rows.take(rows)).probabilities
        own = np.array([classes[entry.code] for entry in self.manifest.categories])
        self.said[rows] = own[probabilities.argmax(axis=1)]
        self.confidence[rows] = probabilities.max(axis=1)


class Contest:
    """Both models on a data set. To make it imports TensorFlow.

    Args:
        champion: A bundle.
        challenger: Another one.
        data: The rows.

    Raises:
        BundleInvalid: A bundle is damaged.
        GoldenMismatch: A bundle answers otherwise than when it was trained.
    """

    def __init__(self, champion: Path, challenger: Path, data: LabelledData) -> None:
        self._data = data
        self._sides = _Side(champion, data), _Side(challenger, data)
        labels = {entry.code: entry.category("en").label for side in self._sides for entry in side.manifest.categories}
        self._codes = sorted(labels | dict.fromkeys(data.classes))
        self._labels = [labels.get(code, code) for code in self._codes]
        index = {code: number for number, code in enumerate(self._codes)}
        self._truth = np.array([index[code] for code in data.codes.tolist()])
        self._unseen = ~(self._sides[0].seen | self._sides[1].seen)
        rows = np.flatnonzero(self._unseen)
        for side in self._sides:
            if len(rows):
                side.answer(data, rows, index)
        self._hear_out_of_fold(challenger, index)

    def _hear_out_of_fold(self, challenger: Path, classes: dict[str, int]) -> None:
        """Let rows count that the challenger learned from, by what models without them said in its cross-validation.

        These had fewer rows to learn from than the challenger, so it is not flattered.
        """
        champion, other = self._sides
        if other.manifest.data.sha256 != self._data.sha256 or not (challenger / OUT_OF_FOLD).is_file():
            return
        said = np.load(challenger / OUT_OF_FOLD, allow_pickle=False)
        rows = np.flatnonzero(other.seen & ~champion.seen & (said >= 0))
        if len(rows):
            own = np.array([classes[entry.code] for entry in other.manifest.categories])
            champion.answer(self._data, rows, classes)
            other.said[rows] = own[said[rows]]
            self._unseen[rows] = True

    @property
    def versions(self) -> tuple[str, str]:
        """Of the champion and of the challenger."""
        return self._sides[0].manifest.version, self._sides[1].manifest.version

    @property
    def size_bytes(self) -> Pair:
        """Of all their files."""
        before, after = (float(side.size_bytes) for side in self._sides)
        return Pair(before=before, after=after)

    def compare(self, part: _Mask) -> Compared:
        """The two on the rows of a part that neither has learned from."""
        rows, asked = part & self._unseen, int(part.sum())
        count = int(rows.sum())
        if not count:
            return Compared(rows=0, left_out=asked)
        champion, challenger = (side.said[rows] for side in self._sides)
        truth, groups = self._truth[rows], self._data.groups[rows]
        rival = Rival(self.versions[0], "champion", champion)
        scores = compare(rival, challenger, truth, groups, classes=len(self._codes), seed=0)
        mended, broken = _signs((challenger == truth).astype(int) - (champion == truth), groups)
        return Compared(
            rows=count,
            left_out=asked - count,
            scores=scores,
            mended=mended,
            broken=broken,
            chance=chance_of(mended, mended + broken, 0.5),
            wrong=len(np.unique(groups[champion != truth])),
        )

    def losses(self, golden: _Mask, verdicts: _Mask, rules: RecallRules) -> list[RecallLoss]:
        """The categories that lose more recall than they may, the greatest loss first; each once."""
        found: dict[str, RecallLoss] = {}
        for loss in (
            *self._losses(golden, "golden", rules),
            *self._losses(golden | verdicts, "golden and verdicts", rules),
        ):
            if loss.code not in found or found[loss.code].before - found[loss.code].after < loss.before - loss.after:
                found[loss.code] = loss
        return sorted(found.values(), key=lambda loss: loss.after - loss.before)

    def ece(self, part: _Mask) -> Pair | None:
        """Calibration errors; None without rows."""
        rows = part & self._unseen
        if not rows.any():
            return None
        before, after = (
            expected_calibration_error(side.confidence[rows], side.said[rows] == self._truth[rows])
            for side in self._sides
        )
        return Pair(before=before, after=after)

    def rows_per_s(self, part: _Mask) -> Pair | None:
        """Rows a second of each at its best, batch by batch in turns: what else the machine does only ever costs time.

        None without rows.
        """
        few = np.flatnonzero(part)[: _BATCH * _BATCHES]
        if not len(few):
            return None
        rows = self._data.rows.take(few[:_BATCH] if self._data.rows.photos else few).in_memory()
        order = np.resize(np.arange(len(rows)), _BATCH * _BATCHES)
        best = np.full((len(self._sides), _BATCHES), np.inf)
        for _ in range(_ROUNDS):  # the first also warms
            for number, batch in enumerate(rows.take(some) for some in np.split(order, _BATCHES)):
                for turn, side in enumerate(self._sides):
                    best[turn, number] = min(best[turn, number], _seconds(side.cascade, batch))
        before, after = (len(order) / best.sum(axis=1)).tolist()
        return Pair(before=before, after=after)

    def _losses(
        self, part: _Mask, name: Literal["golden", "golden and verdicts"], rules: RecallRules
    ) -> Iterator[RecallLoss]:
        rows = part & self._unseen
        for number, code in enumerate(self._codes):
            own = rows & (self._truth == number)
            count = int(own.sum())
            if count < rules.gate_class_rows:
                continue
            right = [side.said[own] == number for side in self._sides]
            before, after = (float(one.mean()) for one in right)
            mended, broken = _signs(right[1].astype(int) - right[0], self._data.groups[own])
            chance = chance_of(broken, mended + broken, 0.5)
            if before - after > (rules.gate_recall_loss or 0) + 1e-9 and chance <= rules.gate_recall_chance:
                yield RecallLoss(
                    code=code,
                    label=self._labels[number],
                    part=name,
                    rows=count,
                    before=before,
                    after=after,
                    chance=chance,
                )


def _signs(difference: NDArray[np.int64], groups: NDArray[np.uint64]) -> tuple[int, int]:
    """Titles of which the second has more rows right, and fewer."""
    _, members = np.unique(groups, return_inverse=True)
    sums = np.bincount(members, difference)
    return int((sums > 0).sum()), int((sums < 0).sum())


def _seconds(cascade: Cascade, batch: Rows) -> float:
    begin = perf_counter()
    cascade.answer(batch)
    return perf_counter() - begin
