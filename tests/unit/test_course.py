"""How a data set is cut up for a training that goes on from a former one."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from model.bundle import HELD_KEYS, SEEN_KEYS
from model.course import Course
from model.data.labelled import LabelledData, load_labelled
from model.parameters import TrainOptions

KINDS = [("broth", "soups"), ("oolong", "teas")]
LEARNED = [("broth 1", "soups", "a.jpg")]
LEARNED += [(f"{name} {number}", code, "") for number in range(20, 35) for name, code in KINDS]
MEASURED = [("broth 8", "soups", ""), ("sencha 8", "teas", "z.jpg"), ("sencha 9", "teas", "")]


def products(folder: Path, *rows: tuple[str, str, str]) -> LabelledData:
    """Titles with their categories and photos, which are as many as there are names."""
    (folder / "images").mkdir(parents=True)
    for _, _, photo in rows:
        if photo:
            (folder / "images" / photo).write_bytes(photo.encode())
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "category", "image"), *rows])
    return load_labelled(folder / "products.csv")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """As much of a former model as says what it learned, and what it was measured by."""
    folder = tmp_path / "model"
    folder.mkdir()
    data = products(tmp_path / "former", *LEARNED, *MEASURED)
    np.save(folder / SEEN_KEYS, data.keys[: len(LEARNED)])
    np.save(folder / HELD_KEYS, data.keys[len(LEARNED) :])
    return folder


def titles(data: LabelledData, rows: Iterable[int]) -> set[str]:
    """Of some rows."""
    return {data.titles[row] for row in rows}


@pytest.mark.parametrize(
    "joining",
    [
        [("broth 1", "soups", "z.jpg")],  # a photo: what was learned has by now that of a row that measures
        [("broth 3", "soups", "z.jpg"), ("broth 3", "soups", "a.jpg")],  # a title between the two photos
        [("sencha 8", "teas", "a.jpg")],  # what measures has by now the photo of what was learned
    ],
)
def test_what_measures_never_teaches_whatever_joins_it(
    joining: list[tuple[str, str, str]], start: Path, tmp_path: Path
) -> None:
    """A new title or photo makes golden rows twins of learned ones: they go on measuring, and those go on teaching."""
    data = products(tmp_path / "now", *LEARNED, *MEASURED, *joining)
    golden, learned = {title for title, _, _ in MEASURED}, {title for title, _, _ in LEARNED}
    row = {title: number for number, title in reversed(list(enumerate(data.titles)))}
    assert data.groups[row["broth 1"]] == data.groups[row["sencha 8"]], "the case is none: nothing joins them"

    course = Course.of(data, TrainOptions(), start)

    assert golden == titles(data, course.split.test)
    assert learned <= titles(data, course.split.train)
    assert set() == golden & titles(data, course.split.seen)
