"""What aisle answers: the category of a product, how sure it is, and which model said so."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.feedback import ShortText
from schemas.ids import EventId
from schemas.time import Instant

REVIEWER: Final = "reviewer"
"""In ``decided_by``: a person decided, on this very event or on another with the same content."""

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Modality = Literal["title", "description", "image"]


class Category(BaseModel):
    """A shelf of the taxonomy."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="As in the taxonomy.")
    label: str = Field(description="In the language of the settings.")
    theme: str | None = Field(default=None, description="The group of categories it is in, if the taxonomy has groups.")


class RankedCategory(BaseModel):
    """A category with its calibrated probability."""

    code: str
    label: str
    probability: Probability


class ModelRef(BaseModel):
    """The model that decided."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str


class Prediction(BaseModel):
    """The answer to one product.

    The earliest prediction of an event id is its prediction and later ones are repeats, except a reviewer's
    (``decided_by`` is ``reviewer``), which supersedes: of several on a partition the last.
    """

    event_id: EventId = Field(description="The event of the product that this answers.")
    product_id: str = Field(description="As the product names itself.")
    category: Category = Field(description="The likeliest category, or a person's.")
    confidence: Probability = Field(description="Calibrated probability of the category.")
    top: list[RankedCategory] = Field(max_length=100, description="The likeliest categories, likeliest first.")
    needs_review: bool = Field(description="The confidence is below the model's review threshold.")
    decided_by: str = Field(description="The model stage that decided, or reviewer.")
    modalities: list[Modality] = Field(description="The parts of the product that were used.")
    notes: list[str] = Field(default=[], max_length=100, description="Why a part was not used.")
    model: ModelRef = Field(description="The model that was in service, also where a person decided.")
    classified_at: Instant = Field(description="When it was decided.")
    replay: str | None = Field(default=None, description="The replay this answer belongs to, if any.")
    feedback_id: ShortText | None = Field(
        default=None, description="The verdict on this event that the answer follows; the event has another before it."
    )
