"""What products and answers looked like when a model was made: counts only, so that drift can be told later.

Each column is counted by itself. Neither a text nor which figures belonged to one product can be had back from it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from model.data.languages import languages_of
from model.errors import BundleInvalid
from model.rows import Rows

FILE: Final = "reference.json"
UNKNOWN: Final = "unknown"
"""The language of a product whose language nobody can tell."""


class Profile(BaseModel):
    """How often each value of each column occurs.

    Args:
        rows: How many products were counted; columns of the answers may have counted fewer.
        numbers: By column, the values in ascending order, each with its count.
        categories: By column, the count of each value.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    rows: int
    numbers: dict[str, list[tuple[float, int]]]
    categories: dict[str, dict[str, int]]

    @classmethod
    def count(
        cls, rows: int, numbers: Mapping[str, Sequence[float]], categories: Mapping[str, Sequence[str]]
    ) -> "Profile":
        """Count columns; empty ones are left out."""
        return cls(
            rows=rows,
            numbers={name: sorted(Counter(column).items()) for name, column in numbers.items() if len(column)},
            categories={name: dict(Counter(column).most_common()) for name, column in categories.items() if column},
        )


def profile(
    products: Rows,
    languages: Sequence[str] | None = None,
    *,
    photographed: Sequence[bool] | None = None,
    predicted: Sequence[str] = (),
    confidence: Sequence[float] = (),
    named: Sequence[str] = (),
) -> Profile:
    """Count what some products look like, and what a model makes of them.

    Args:
        products: The products.
        languages: ISO 639-1 code of each, '' where unknown; None: they are told here.
        photographed: Whether each has a photo; None: those that the products have with them.
        predicted: Category code of each answer; there may be fewer answers than products.
        confidence: Of each answer, from 0 to 1.
        named: Category code that each product came with; empty where none did.
    """
    shown = products.present[:, 2].tolist() if photographed is None else photographed
    spoken = languages_of(products) if languages is None else languages
    return Profile.count(
        len(products),
        {
            "title length": list(map(len, products.titles)),
            "description length": list(map(len, products.descriptions)),
            "confidence": [round(float(one), 3) for one in confidence],
        },
        {
            "photo": ["with" if photo else "without" for photo in shown],
            "language": [language or UNKNOWN for language in spoken],
            "predicted": list(predicted),
            "category": list(named),
        },
    )


def write_reference(path: Path, reference: Profile) -> None:
    """Put a reference into a bundle that is being made.

    Raises:
        OSError: It cannot be written.
    """
    (path / FILE).write_text(reference.model_dump_json(), encoding="utf-8")


def read_reference(bundle: Path) -> Profile | None:
    """The reference of a bundle; None of one that was made before bundles had it.

    Raises:
        BundleInvalid: It cannot be read.
    """
    try:
        return Profile.model_validate_json((bundle / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BundleInvalid(
            f"{bundle / FILE} is no reference.", hint="Copy the bundle again, or train anew."
        ) from error
