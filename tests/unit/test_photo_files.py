"""Photos of a data set, in their files."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.data.photos import PhotoFiles
from schemas.limits import MAX_PHOTO_BYTES


@pytest.fixture
def paths(tmp_path: Path) -> list[Path | None]:
    """A photo, none, one that is gone, one that is none, one too large, and the first again."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG")
    (tmp_path / "a.jpg").write_bytes(file.getvalue())
    (tmp_path / "b.jpg").write_bytes(b"GIF89a")
    (tmp_path / "c.jpg").touch()
    os.truncate(tmp_path / "c.jpg", MAX_PHOTO_BYTES + 1)
    (tmp_path / "copy.jpg").write_bytes(file.getvalue())
    names = ("a.jpg", None, "gone.jpg", "b.jpg", "c.jpg", "copy.jpg")
    return [None if name is None else tmp_path / name for name in names]


def test_a_photo_is_read_when_it_is_asked_for(paths: list[Path | None]) -> None:
    """What may not be decoded is as good as none; slices and choices stay in their files."""
    photos = PhotoFiles(paths)

    assert [True, False, False, False, False, True] == [photo is not None for photo in photos]
    assert [True, False, True, True, True, True] == photos.named.tolist()
    assert photos[0] == photos.take(np.array([5, 1]))[0] == photos[5:][0]
    assert isinstance(photos[1:3], PhotoFiles)
    assert (6, 2) == (len(photos), len(photos[1:3]))


def test_the_same_photo_has_one_number(paths: list[Path | None], tmp_path: Path) -> None:
    """By what is in the file, not by its name or its size; what is not there has none."""
    photo = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "other.jpg").write_bytes(photo[:-3] + b"\0" + photo[-2:])
    first, none, gone, *others, copy, other = PhotoFiles([*paths, tmp_path / "other.jpg"]).contents().tolist()

    assert (-1, -1) == (none, gone)
    assert first == copy
    assert 4 == len({first, *others, other})
