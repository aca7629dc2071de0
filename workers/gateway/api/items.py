"""The archive's items: looked for, looked at, removed."""

from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.status import HTTP_204_NO_CONTENT, HTTP_304_NOT_MODIFIED

from schemas.http.item import Item
from schemas.http.moment import Moment
from schemas.http.paging import Page
from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Admin, Customer, Right
from workers.gateway.etag import NOT_MODIFIED, tagged
from workers.gateway.items.choice import ItemChoice, Order, State
from workers.gateway.items.photo import may_name_photos, photo_of
from workers.gateway.items.remove import remove_item
from workers.gateway.items.view import PATH
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix=PATH, tags=["items"], responses=PROBLEMS)

Event = Annotated[EventId, Path(description="The event's id.")]
Named = Annotated[str | None, Query(min_length=1, max_length=MAX_ID_CHARS)]
Share = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]

_PHOTO: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The photo.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/jpeg", "image/png", "image/webp")
        },
    },
    **NOT_MODIFIED,
}


@router.get("", summary="Look for items")
async def search(
    who: Customer,
    parts: PartsOf,
    state: State = "all",
    order: Order = "newest",
    category: Annotated[Named, Query(description="Code of the category in force.")] = None,
    theme: Named = None,
    min_confidence: Share = None,
    max_confidence: Share = None,
    model_version: Named = None,
    since: Annotated[Moment | None, Query(alias="from", description="Published then or later.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Published before.")] = None,
    product_id: Named = None,
    text: Annotated[Named, Query(description="What title, description or product id holds.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Item]:
    """Items that fit, newest or least sure first; a customer's own only."""
    own = None if who.may(Right.REVIEW) else who.name
    given = (min_confidence, max_confidence, model_version, since, until, product_id, text, own)
    choice = ItemChoice(state, category, theme, *given)
    return await parts.items.page(choice, order, who, limit, cursor)


@router.get("/{event_id}", summary="An item", response_model=Item, responses=NOT_MODIFIED)
async def read(request: Request, event_id: Event, who: Customer, parts: PartsOf) -> Response:
    """A product, its prediction, and what people said of it."""
    item = await parts.items.one(event_id, who)
    return tagged(request, item, sha256(item.model_dump_json().encode()).hexdigest()[:32])


@router.get("/{event_id}/photo", summary="An item's photo", response_class=Response, responses=_PHOTO)
async def photo(request: Request, event_id: Event, who: Customer, parts: PartsOf) -> Response:
    """The photo, if it is a JPEG, PNG or WebP that can safely be shown."""
    document = await parts.items.document(event_id, who)
    found = await photo_of(document, parts.photos, named=may_name_photos(who, parts.settings))
    headers = {"Cache-Control": found.cache, "ETag": found.tag, "Vary": "Authorization"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.delete("/{event_id}", summary="Remove an item", status_code=HTTP_204_NO_CONTENT)
async def remove(request: Request, event_id: Event, who: Admin, parts: PartsOf) -> None:
    """Remove an item from the archive, and its photo if no other item has the same.

    What the topics keep of it stays; they lose it with time. `aisle data forget` is for a person's right to erasure.
    """
    document = await parts.items.document(event_id, who)
    await remove_item(parts.store, parts.images, document, who, request.state.request_id)
