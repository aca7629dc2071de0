"""What a model in the shadow says of a product: the value of a record on the topic ``shadow.out``."""

from pydantic import BaseModel, Field

from schemas.ids import EventId
from schemas.prediction import Category, ModelRef, Probability, RankedCategory
from schemas.time import Instant


class ShadowPrediction(BaseModel):
    """The answer that the product would have got. Nobody is answered with it; the product's prediction is another."""

    event_id: EventId
    product_id: str
    category: Category
    confidence: Probability = Field(description="Calibrated probability of the category.")
    top: list[RankedCategory] = Field(max_length=100, description="The likeliest categories, likeliest first.")
    needs_review: bool = Field(description="The confidence is below the model's review threshold.")
    decided_by: str = Field(description="The model stage that decided.")
    model: ModelRef
    scored_at: Instant
