"""The data that models are measured on: which rows teach, which measure."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

import model
from model.course import Course
from model.data.columns import Columns
from model.data.labelled import LabelledData, load_labelled
from model.data.photos import PhotoFiles
from model.data.split import Split
from model.parameters import TrainOptions
from model.rows import Rows
from model.synthetic.catalogue import Catalogue
from model.synthetic.export import write_catalogue

_ROOT: Final = Path(__file__).parents[1] / "data"
_STARTER: Final = Path(model.__file__).parent / "data"
OPEN_FOOD_FACTS: Final = _STARTER / "openfoodfacts_fr" / "openfoodfacts_fr.csv"
CIQUAL: Final = _ROOT / "ciqual_fr" / "ciqual_fr.csv"
GROCERY: Final = _ROOT / "grocery_store" / "grocery_store.csv"

_MIN_CLASS_ROWS: Final = 5
_SERIES: Final = 8  # photos of one kind with neighbouring numbers are of one moment: on one side of a split together
_SYNTHETIC_ROWS: Final = 4_000
_WRONG_TEXT, _LOST_TEXT, _LOST_WORD = 0.25, 0.1, 0.25  # what makes the texts beside the grocery photos unsure
_FILLER: Final = ("bio", "promo", "lot", "frais", "offre", "format", "extra", "1kg", "500g", "le", "la", "premium")


@dataclass(frozen=True)
class Case:
    """A data set and how it is used.

    Args:
        name: As the table has it.
        course: Cuts it by a seed, and keeps this part of the training rows.
        photos: Whether its rows have photos.
        texts: Whether they have texts.
    """

    name: str
    course: Callable[[int, float], Course]
    photos: bool = False
    texts: bool = True


def _text(path: Path, column: str) -> Callable[[int, float], Course]:
    def course(seed: int, share: float) -> Course:
        return thinned(
            Course.of(frequent(load_labelled(path, Columns(category=column))), TrainOptions(seed=seed)), share
        )

    return course


def frequent(data: LabelledData) -> LabelledData:
    """The rows of categories that have enough of them to be split."""
    counts = Counter(data.codes.tolist())
    rows = np.flatnonzero([counts[code] >= _MIN_CLASS_ROWS for code in data.codes.tolist()])
    return replace(data, rows=data.rows.take(rows), codes=data.codes[rows], keys=data.keys[rows])


def thinned(course: Course, share: float) -> Course:
    """A course whose training side has only this part of its rows, a class two at least, and the same test side."""
    if share == 1:
        return course
    chance, kept = np.random.default_rng(1), []
    for label in range(len(course.classes)):
        own = course.split.seen[course.truth[course.split.seen] == label]
        kept.append(chance.permutation(own)[: max(2, round(share * len(own)))])
    seen = np.sort(np.concatenate(kept))
    prior = np.bincount(course.truth[seen], minlength=len(course.classes)) / len(seen)
    return replace(course, split=replace(course.split, train=seen, validation=seen[:0]), prior=prior.tolist())


def _synthetic(folder: Path) -> Callable[[int, float], Course]:
    def course(seed: int, share: float) -> Course:
        path = folder / "catalogue.csv"
        if not path.exists():
            write_catalogue(Catalogue(seed=0, photos=True, missing_photos=0.4), path, _SYNTHETIC_ROWS)
        return thinned(Course.of(load_labelled(path), TrainOptions(seed=seed)), share)

    return course


def _grocery(seed: int, share: float) -> Course:
    """Photos alone, on the sides that the set gives."""
    del seed
    rows = _grocery_rows()
    return thinned(_given(rows, [""] * len(rows), [row["file"] for row in rows]), share)


def _paired(seed: int, share: float) -> Course:
    """Each photo twice beside an unsure text, the second time without the photo."""
    rows = [row for row in _grocery_rows() for _ in range(2)]
    chance = Random(seed)
    texts = [_unsure(row["title"], rows, chance) for row in rows]
    return thinned(
        _given(rows, texts, [row["file"] if number % 2 == 0 else "" for number, row in enumerate(rows)]), share
    )


def _unsure(title: str, rows: list[dict[str, str]], chance: Random) -> str:
    if chance.random() < _LOST_TEXT:
        return ""
    said = chance.choice(rows)["title"] if chance.random() < _WRONG_TEXT else title
    words = [word for word in said.split() if chance.random() >= _LOST_WORD]
    return " ".join(chance.sample([*words, *chance.sample(_FILLER, 2)], len(words) + 2))


def _grocery_rows() -> list[dict[str, str]]:
    with GROCERY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _given(rows: list[dict[str, str]], titles: list[str], files: list[str]) -> Course:
    data = load_labelled(GROCERY, Columns(category="category"))
    own = [data.taxonomy.code_of(row["category"]) or "" for row in rows]
    photos = PhotoFiles([GROCERY.parent / file if file else None for file in files])
    keys = np.array([_series(row) for row in rows], np.uint64)
    data = replace(data, rows=Rows(titles, [""] * len(rows), photos), codes=np.array(own), keys=keys)
    sides = np.array([row["split"] for row in rows])
    seen, test = np.flatnonzero(sides == "train"), np.flatnonzero(sides == "test")
    classes = [code for code in data.classes if code in set(data.codes[seen].tolist())]
    truth = np.array([classes.index(code) for code in own])
    prior = np.bincount(truth[seen], minlength=len(classes)) / len(seen)
    return Course(data, Split(seen, seen[:0], test), classes, truth, test, prior.tolist())


def _series(row: dict[str, str]) -> int:
    found = re.search(r"_(\d+)\.", row["file"])
    assert found is not None
    name = f"{row['split']}/{row['title']}/{int(found[1]) // _SERIES}"
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")


def cases(folder: Path) -> dict[str, Case]:
    """All of them, by name.

    Args:
        folder: Where the synthetic catalogue is kept.
    """
    every = [
        Case("openfoodfacts, 5 categories", _text(OPEN_FOOD_FACTS, "category_group")),
        Case("openfoodfacts, 12 categories", _text(OPEN_FOOD_FACTS, "category")),
        Case("ciqual, 11 categories", _text(CIQUAL, "category")),
        Case("ciqual, 60 categories", _text(CIQUAL, "subcategory")),
        Case("synthetic, 27 categories", _synthetic(folder), photos=True),
        Case("grocery photos, 43 categories", _grocery, photos=True, texts=False),
        Case("grocery photos beside unsure texts, 43 categories", _paired, photos=True),
    ]
    return {case.name: case for case in every}
