"""Golden inputs: kept with what the stages need, and answered alike wherever the bundle is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import GOLDEN_PHOTOS, Manifest
from model.errors import GoldenMismatch
from model.golden import GOLDEN_ROWS, check_golden, golden_of
from model.rows import Rows
from model.stages import LogProbabilities
from schemas.prediction import Modality


class Measures:
    """Two classes, by how long a title or a photo is."""

    def __init__(self, reads: Modality, off: float = 0.0) -> None:
        self.name = "text" if reads == "title" else "image"
        self.reads: frozenset[Modality] = frozenset({reads})
        self._off = off

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """NaN of a photo that is broken."""
        photos = [photo or b"" for photo in rows.photos]
        lengths = map(len, rows.titles if "title" in self.reads else photos)
        shares = np.array([np.nan if size == 1 else 1 / (2 + size) + self._off for size in lengths])
        answers: LogProbabilities = np.log(np.stack([shares, 1 - shares], axis=1)).astype(np.float32)
        return answers


BOTH: tuple[Modality, ...] = ("title", "image")
ROWS = Rows([f"tea {n}" if n else "" for n in range(20)], [""] * 20, [b"p" * (n + 1) for n in range(20)])
TEST = np.arange(20)


def manifest(golden: Any) -> Manifest:
    """One that has golden inputs and nothing else."""
    construct: Any = Manifest.model_construct
    made: Manifest = construct(golden=golden)
    return made


def test_photos_are_kept_for_a_stage_that_looks_at_them(tmp_path: Path) -> None:
    """Each row's own; of a broken one and of a missing text there is no answer; a text of no catalogue comes last."""
    stages = [Measures("title"), Measures("image")]
    golden = golden_of(stages, ROWS, TEST, tmp_path)

    assert GOLDEN_ROWS + 1 == len(golden)
    assert [b"p" * (n + 1) for n in (0, 2, 5)] == [(tmp_path / str(one.photo)).read_bytes() for one in golden[:3]]
    assert (set(), {"text", "image"}, {"text"}) == tuple(set(golden[n].probabilities) for n in (0, 1, -1))
    check_golden(manifest(golden), stages, tmp_path)


def test_photos_are_not_kept_for_nobody(tmp_path: Path) -> None:
    """A model without an image stage has no golden photos."""
    golden = golden_of([Measures("title")], ROWS, TEST, tmp_path)

    assert {None} == {one.photo for one in golden}
    assert not (tmp_path / GOLDEN_PHOTOS).exists()
    check_golden(manifest(golden), [Measures("title")], tmp_path)


@pytest.mark.parametrize("changed", BOTH)
def test_a_stage_that_answers_otherwise_is_refused(changed: Modality, tmp_path: Path) -> None:
    """By its name; a difference in the sixth digit is none."""
    stages = [Measures("title"), Measures("image")]
    golden = golden_of(stages, ROWS, TEST, tmp_path)

    def served(off: float) -> list[Measures]:
        return [Measures(stage, off if stage == changed else 0.0) for stage in BOTH]

    check_golden(manifest(golden), served(1e-6), tmp_path)
    with pytest.raises(GoldenMismatch, match=f"Stage {Measures(changed).name} "):
        check_golden(manifest(golden), served(1e-3), tmp_path)
