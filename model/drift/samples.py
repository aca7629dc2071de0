"""A sample of a product file, counted for a comparison."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from model.cascade import Cascade
from model.data.columns import Columns
from model.data.dataset import ProductRow, RowProblems, iter_products
from model.errors import DataInvalid
from model.reference import Profile, profile
from model.rows import Rows

SAMPLE_ROWS: Final = 20_000
"""Rows of a file that are looked at, at most: more tell nothing further of shares."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A model to ask about the rows: its codes in the order of its answers, and the cascade."""

    codes: list[str]
    cascade: Cascade


def sample(
    path: Path,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    *,
    rows: int = SAMPLE_ROWS,
    seed: int = 0,
    problems: RowProblems | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[ProductRow]:
    """Rows of a file, each equally likely to be among them (Vitter 1985, "Random Sampling with a Reservoir").

    Args:
        path: As `iter_products` takes it.
        columns: Likewise.
        rows: How many, at most.
        seed: Of the choice.
        problems: Filled with what was passed over.
        progress: Told how far the reading is.

    Raises:
        DataInvalid: It cannot be read, or has no products.
        ColumnMissing: A column that was named is not there, or there is nothing to classify by.
    """
    chosen: list[ProductRow] = []
    draw = Random(seed)  # noqa: S311 - a sample is no secret
    for number, row in enumerate(iter_products(path, columns, problems=problems, progress=progress)):
        if number < rows:
            chosen.append(row)
        elif (place := draw.randrange(number + 1)) < rows:
            chosen[place] = row
    if not chosen:
        raise DataInvalid(f"{path} has no products.")
    return chosen


def count_rows(rows: list[ProductRow], model: Answering | None = None) -> Profile:
    """Count a sample, and a model's answers to its texts; photos are counted and not looked at.

    Args:
        rows: The sample.
        model: Whom to ask; None: nobody.
    """
    products = Rows([row.title or "" for row in rows], [row.description or "" for row in rows])
    predicted, confidence = ([], []) if model is None else _answers(products, model)
    return profile(
        products,
        photographed=[row.image is not None for row in rows],
        predicted=predicted,
        confidence=confidence,
        named=[row.category for row in rows if row.category is not None],
    )


def _answers(products: Rows, model: Answering) -> tuple[list[str], list[float]]:
    probabilities = model.cascade.answer(products).probabilities
    best = probabilities.argmax(axis=1).tolist()
    return [model.codes[number] for number in best], probabilities.max(axis=1).tolist()
