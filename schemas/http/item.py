"""An archived product with what became of it, as people look at it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.feedback import Verdict
from schemas.prediction import Category, Modality, ModelRef, Probability, RankedCategory
from schemas.time import Instant

ItemState = Literal["pending", "judged", "dead-letter", "classified", "waiting"]

_EVENT = "0b8e0000-0000-4000-8000-000000000001"


class ItemPhoto(BaseModel):
    """A product's photo, by where its bytes can be had."""

    link: str | None = Field(default=None, description="Gives the photo; null: it cannot be had.")
    sha256: str | None = Field(default=None, description="Of its bytes, once they are in the image store.")
    uri: str | None = Field(default=None, description="Where the producer said that it is.")
    error: str | None = Field(default=None, description="Why there is none.")


class ItemProduct(BaseModel):
    """A product as it was published."""

    published_at: Instant
    title: str | None = None
    description: str | None = None
    photo: ItemPhoto | None = None
    attributes: dict[str, Any] | None = Field(
        default=None, description="What else its producer said; lists leave it out.", examples=[{"brand": "Acme"}]
    )
    submitted_by: str | None = Field(default=None, description="The account that submitted it here.")


class ItemPrediction(BaseModel):
    """What was predicted first."""

    classified_at: Instant
    category: Category
    confidence: Probability
    top: list[RankedCategory]
    needs_review: bool
    decided_by: str
    modalities: list[Modality]
    notes: list[str] = []
    model: ModelRef
    replay: str | None = None


class Decision(BaseModel):
    """What counts now."""

    category: Category | None = Field(description="Null: a reviewer rejected the product.")
    decided_by: str = Field(description="The model stage that decided, or reviewer.")
    confidence: Probability = Field(description="1 where a reviewer decided.")


class ItemVerdict(BaseModel):
    """What a person said last."""

    verdict: Verdict
    code: str | None = Field(default=None, description="The right category, with corrected.")
    at: Instant
    feedback_id: str
    by: str | None = Field(default=None, description="Who said so; not told to customers.")
    note: str | None = Field(default=None, description="Likewise.")


class ItemDeadLetter(BaseModel):
    """Why a product could not be classified."""

    at: Instant
    stage: str
    error_class: str
    message: str
    attempts: int


class Item(BaseModel):
    """A product, its prediction, and what people said of it; parts that are not there yet are null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_id": _EVENT,
                    "product_id": "B-2291",
                    "state": "pending",
                    "product": {
                        "published_at": "2026-11-22T06:12:33Z",
                        "title": "Perceuse visseuse 18 V",
                        "photo": {"link": f"/api/v1/items/{_EVENT}/photo", "uri": "photos/b-2291.jpg"},
                    },
                    "prediction": {
                        "classified_at": "2026-11-22T06:12:33.4Z",
                        "category": {"code": "tools", "label": "Tools", "theme": "Garden and home"},
                        "confidence": 0.31,
                        "top": [{"code": "tools", "label": "Tools", "probability": 0.31}],
                        "needs_review": True,
                        "decided_by": "text",
                        "modalities": ["title"],
                        "model": {"name": "aisle", "version": "20261121-162835-ce5d2f"},
                    },
                    "decision": {
                        "category": {"code": "tools", "label": "Tools", "theme": "Garden and home"},
                        "decided_by": "text",
                        "confidence": 0.31,
                    },
                }
            ]
        }
    )

    event_id: str
    product_id: str | None = None
    state: ItemState = Field(
        description="pending: it waits for a reviewer; judged: one has spoken; dead-letter: it could not be "
        "classified; classified: the model is sure enough; waiting: nothing has become of it yet."
    )
    product: ItemProduct | None = None
    prediction: ItemPrediction | None = None
    decision: Decision | None = None
    dead_letter: ItemDeadLetter | None = None
    verdict: ItemVerdict | None = None
