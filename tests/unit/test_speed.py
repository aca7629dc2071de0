"""The speed of a stage is its own."""

from pathlib import Path

import numpy as np

from model.data.photos import PhotoFiles
from model.report.speed import rows_per_s
from model.rows import Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality


class Looks:
    """A stage that notes where the photos lie that it is shown."""

    def __init__(self, reads: Modality) -> None:
        self.name = reads
        self.reads: frozenset[Modality] = frozenset({reads})
        self.shown: set[type] = set()

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """The same for all."""
        assert {"titles", "descriptions"} <= vars(rows).keys()  # cleaned beforehand
        self.shown.add(type(rows.photos))
        return np.zeros((len(rows), 1), np.float32)


def test_the_disk_is_not_measured(tmp_path: Path) -> None:
    """Photos are in memory before the clock runs; who does not look at them gets none."""
    rows = Rows(["a", "b"], ["", ""], PhotoFiles([tmp_path / "a.jpg", None]))
    eye, reader = Looks("image"), Looks("title")

    assert (rows_per_s(eye, rows) or 0) > 0
    assert (rows_per_s(reader, rows) or 0) > 0
    assert {list} == eye.shown == reader.shown
