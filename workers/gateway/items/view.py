"""An item as it is stored, made into what is shown."""

from collections.abc import Callable
from typing import Final

from infra.store import Document
from infra.stored_items import has_answer, reviewed
from schemas.content import digest_name
from schemas.http.item import (
    Decision,
    Item,
    ItemDeadLetter,
    ItemPhoto,
    ItemPrediction,
    ItemProduct,
    ItemState,
    ItemVerdict,
)
from schemas.prediction import REVIEWER, Category

PATH: Final = "/api/v1/items"

SHOWN: Final[Document] = {"dead_letter.key": False, "dead_letter.value": False, "dead_letter.headers": False}
"""The projection that leaves out the bytes of dead letters, which are up to 2 MiB each."""

LISTED: Final[Document] = SHOWN | {"product.attributes": False}
"""That of lists: without attributes, which are up to 1 MiB each; what is left of an item are 80 KB at most."""

WITHDRAWN: Final = "withdrawn"


def item_of(document: Document, category: Callable[[str], Category], *, whole: bool, named: bool = True) -> Item:
    """An item.

    Args:
        document: As it is stored, by `SHOWN` or `LISTED`.
        category: What a code stands for.
        whole: Whether to tell who judged it, and the note.
        named: Whether to link a photo that the event only names.
    """
    prediction, letter, verdict = (document.get(name) for name in ("prediction", "dead_letter", "verdict"))
    said = None if verdict is None else ItemVerdict.model_validate(verdict)
    if said is not None and not whole:
        said = said.model_copy(update={"by": None, "note": None})
    return Item(
        event_id=document["_id"],
        product_id=document.get("product_id"),
        state=state_of(document),
        product=_product(document, named=named),
        prediction=None if prediction is None else ItemPrediction.model_validate(prediction),
        decision=_decision(document, category),
        dead_letter=None if letter is None else ItemDeadLetter.model_validate(letter),
        verdict=said,
    )


def state_of(document: Document) -> ItemState:
    """Where an item stands."""
    if document.get("verdict", {}).get("verdict") not in (None, WITHDRAWN):
        return "judged"
    if (prediction := document.get("prediction")) is not None:
        return "pending" if prediction["needs_review"] else "classified"
    return "dead-letter" if "dead_letter" in document else "waiting"


def _product(document: Document, *, named: bool) -> ItemProduct | None:
    part = document.get("product")
    if part is None:
        return None
    fields = {name: part.get(name) for name in ("published_at", "title", "description", "submitted_by")}
    attributes = {pair["name"]: pair["value"] for pair in part.get("attributes", ())} or None
    return ItemProduct(**fields, attributes=attributes, photo=_photo(document["_id"], part.get("image"), named=named))


def _photo(event_id: str, image: Document | None, *, named: bool) -> ItemPhoto | None:
    if image is None:
        return None
    uri = photo_uri(image)
    there = uri is not None and (named or is_kept(uri))
    known = {name: image.get(name) for name in ("sha256", "uri", "error")}
    return ItemPhoto(link=f"{PATH}/{event_id}/photo" if there else None, **known)


def photo_uri(image: Document) -> str | None:
    """Where the photo of a stored reference is read from; None for one that never was a photo."""
    return digest_name(image["sha256"]) if "sha256" in image else image.get("uri")


def is_kept(uri: str) -> bool:
    """Whether a photo is in the image store: its bytes came with an event, or a producer knew their hash."""
    return uri.startswith(digest_name(""))


def _decision(document: Document, category: Callable[[str], Category]) -> Decision | None:
    said = document.get("verdict", {}).get("verdict")
    if said == "rejected":
        return Decision(category=None, decided_by=REVIEWER, confidence=1)
    if said in ("validated", "corrected") and has_answer(document):
        answer = reviewed(document, category)
        return Decision(category=answer.category, decided_by=REVIEWER, confidence=answer.confidence)
    prediction = document.get("prediction")
    if prediction is None:
        return None
    return Decision(**{name: prediction[name] for name in ("category", "decided_by", "confidence")})
