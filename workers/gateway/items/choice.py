"""Which items are asked for: as a query for the store, and as a test on what it gives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from infra.store import Document
from schemas.ids import is_canary
from schemas.taxonomy import Taxonomy
from workers.gateway.items.view import WITHDRAWN

State = Literal["all", "pending", "judged", "dead-letter"]
Order = Literal["newest", "unsure"]

PENDING: Final[Document] = {
    "prediction.needs_review": True,
    "verdict.verdict": {"$in": [None, WITHDRAWN]},
}
"""Items that wait for a reviewer."""

_STATES: Final[dict[State, Document]] = {
    "all": {},
    "pending": PENDING,
    "judged": {"verdict.at": {"$exists": True}, "verdict.verdict": {"$ne": WITHDRAWN}},
    "dead-letter": {"dead_letter.at": {"$exists": True}, "prediction": {"$exists": False}},
}


@dataclass(frozen=True, slots=True)
class ItemChoice:
    """Which items; None means any.

    Args:
        state: Where they stand.
        category: Code of the category in force: a person's, else the predicted one.
        theme: The same by theme.
        least: Smallest confidence of the prediction, included.
        most: Greatest confidence, included.
        model_version: The model that predicted.
        since: Published then or later.
        until: Published before.
        product_id: Of the product.
        text: What title, description or product id holds, in capitals or not.
        submitted_by: The account that submitted them.
    """

    state: State = "all"
    category: str | None = None
    theme: str | None = None
    least: float | None = None
    most: float | None = None
    model_version: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    product_id: str | None = None
    text: str | None = None
    submitted_by: str | None = None

    def query(self, taxonomy: Taxonomy | None, language: str) -> Document:
        """All but the text, as a query.

        Args:
            taxonomy: Says which codes belong to a theme.
            language: That the theme is named in.
        """
        named = {
            "prediction.model.version": self.model_version,
            "product_id": self.product_id,
            "product.submitted_by": self.submitted_by,
        }
        between: dict[str, Document] = {
            "prediction.confidence": {"$gte": self.least, "$lte": self.most},
            "product.published_at": {"$gte": self.since, "$lt": self.until},
        }
        query = dict(_STATES[self.state]) | {name: value for name, value in named.items() if value is not None}
        for name, bounds in between.items():
            if given := {bound: value for bound, value in bounds.items() if value is not None}:
                query[name] = given
        in_force = []
        if self.category is not None:
            in_force.append(_in_force("code", self.category, [self.category]))
        if self.theme is not None:
            in_force.append(_in_force("theme", self.theme, codes_of(self.theme, taxonomy, language)))
        return query | ({"$and": in_force} if in_force else {})

    def fits(self, document: Document) -> bool:
        """Whether an item that the query found is one of these; the monitor's own products never are."""
        product_id = document.get("product_id")
        if is_canary(product_id) and self.product_id is None:
            return False
        if self.text is None:
            return True
        product, wanted = document.get("product", {}), self.text.casefold()
        texts = (product.get("title"), product.get("description"), product_id)
        return any(wanted in text.casefold() for text in texts if text is not None)


def codes_of(theme: str, taxonomy: Taxonomy | None, language: str) -> list[str]:
    """The codes that belong to a theme, as it is called in a language."""
    if taxonomy is None:
        return []
    return [code for code in taxonomy.codes if taxonomy.category(code, language).theme == theme]


def _in_force(name: str, value: str, codes: list[str]) -> Document:
    predicted = {f"prediction.category.{name}": value, "verdict.code": None}
    return {"$or": [predicted, {"verdict.code": {"$in": codes}}]}
