"""Why an item is of its category."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from schemas.http.explanation import Explained
from schemas.http.text import Name
from schemas.ids import EventId
from schemas.prediction import Prediction
from workers.gateway.access import Customer
from workers.gateway.explanations import explain
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/items", tags=["items"], responses=PROBLEMS)


@router.get("/{event_id}/explanation", summary="Why an item is of its category")
async def explanation(
    event_id: Annotated[EventId, Path(description="The event's id.")],
    who: Customer,
    parts: PartsOf,
    code: Annotated[Name | None, Query(description="Explain this category in place of the predicted one.")] = None,
) -> Explained:
    """Which words and n-grams of the title and description spoke for a category, by the first stage's weights."""
    document = await parts.items.document(event_id, who)
    part, product = document.get("prediction"), document.get("product", {})
    if part is None:
        return Explained(explanation=None)
    fields = {name: value for name, value in part.items() if name != "partition"}
    found = Prediction.model_validate({"event_id": event_id, "product_id": document["product_id"], **fields})
    return Explained(explanation=await explain(parts, found, product.get("title"), product.get("description"), code))
