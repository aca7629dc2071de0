"""The synthetic catalogue: any row of it, from the seed and the row's number alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Final

from model.synthetic.descriptions import write_description
from model.synthetic.facts import Facts, draw_facts
from model.synthetic.market import pick
from model.synthetic.photos import break_photo, render_photo
from model.synthetic.titles import draw_form, write_title
from model.synthetic.vocabulary import neighbours
from schemas.taxonomy import Taxonomy

DEFAULT_LABEL_NOISE: Final = 0.02

_TWIN = 0.05  # of the rows offer a product again that a row not long before has
_TWIN_WITHIN_ROWS = 2_000
_SAME_TITLE = 0.3  # of those say it in the same words
_NEAR_MISTAKE = 0.7  # of the wrong categories are neighbours of the right one


@dataclass(frozen=True, slots=True)
class SyntheticProduct:
    """One row.

    Args:
        id: Unique within a seed.
        title: As a seller wrote it.
        description: HTML or plain text; None where there is none.
        category: The code it is filed under, wrong in `label_noise` of the rows.
        true_category: The code it belongs to.
        language: ISO 639-1 code of its texts.
        photo: JPEG bytes, or what is left of them; None where there is none.
    """

    id: str
    title: str
    description: str | None
    category: str
    true_category: str
    language: str
    photo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Made-up products of the 27 built-in categories.

    A row depends on the seed and its number, not on how many are asked for, and each option changes only the
    rows it is about: more drift or noise leaves the other rows as they were.

    Args:
        seed: Another seed gives other products of the same world.
        drift: Part of the rows, 0 to 1, that come from a changed world: other shares of the categories,
            things, brands and properties that were not there before.
        label_noise: Part of the rows filed under a wrong category, mostly a neighbour.
        photos: Whether to render photos.
        missing_photos: Part of the rows without one.
        broken_photos: Part of the rows whose photo cannot be read.
    """

    seed: int = 0
    drift: float = 0.0
    label_noise: float = DEFAULT_LABEL_NOISE
    photos: bool = False
    missing_photos: float = 0.0
    broken_photos: float = 0.0

    def rows(self, count: int) -> Iterator[SyntheticProduct]:
        """The first rows, made as they are asked for."""
        return map(self.row, range(count))

    def row(self, number: int) -> SyntheticProduct:
        """One row, counted from 0."""
        origin, repeats = self._origin(number)
        made = self._chance(origin, "product")
        facts = draw_facts(made, drifted=self._part(origin, "drift") < self.drift)
        form = draw_form(made, facts)
        if origin != number and not repeats:
            facts = facts.variant(self._chance(number, "variant"))
        title = write_title(self._chance(origin if repeats else number, "title"), facts, form)
        description = write_description(self._chance(number, "description"), facts)
        photo = self._photo(number, facts) if self.photos else None
        return SyntheticProduct(
            f"p{number:07}", title, description, self._filed(number, facts.code), facts.code, facts.language, photo
        )

    def _origin(self, number: int) -> tuple[int, bool]:
        """The row whose product this one offers, mostly itself, and whether it does so in the same words."""
        if number == 0 or self._part(number, "twin") >= _TWIN:
            return number, False
        back = int(self._part(number, "twin of") * min(number, _TWIN_WITHIN_ROWS))
        return number - 1 - back, self._part(number, "same title") < _SAME_TITLE

    def _filed(self, number: int, code: str) -> str:
        if self._part(number, "label") >= self.label_noise:
            return code
        chance = self._chance(number, "wrong label")
        if chance.random() < _NEAR_MISTAKE:
            return pick(chance, neighbours()[code])
        return pick(chance, [other for other in Taxonomy.builtin().codes if other != code])

    def _photo(self, number: int, facts: Facts) -> bytes | None:
        if self._part(number, "photo missing") < self.missing_photos:
            return None
        photo = render_photo(self._chance(number, "photo"), facts.code)
        broken = self._part(number, "photo broken") < self.broken_photos
        return break_photo(self._chance(number, "break"), photo) if broken else photo

    def _part(self, number: int, what: str) -> float:
        """A number from 0 to 1 of one row's own for one purpose; an option takes the rows below its share."""
        return self._draw(number, what) / 2**64

    def _chance(self, number: int, what: str) -> Random:
        """A source of chance of one row's own for one purpose, so that no option shifts another's draws."""
        return Random(self._draw(number, what))  # noqa: S311 - no secret

    def _draw(self, number: int, what: str) -> int:
        return int.from_bytes(blake2b(f"{self.seed}/{number}/{what}".encode(), digest_size=8).digest(), "big")
