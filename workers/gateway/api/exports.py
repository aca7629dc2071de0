"""All items or verdicts as a file."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from infra.lease import utc_now
from schemas.http.moment import Moment
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Reviewer
from workers.gateway.export.export import exported
from workers.gateway.export.formats import MEDIA_TYPES, Format
from workers.gateway.export.rows import What
from workers.gateway.export.source import ExportChoice, Source
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/export", tags=["items"], responses=PROBLEMS)

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media_type in MEDIA_TYPES.values()
        },
    }
}


@router.get("", summary="Export items or verdicts", response_class=StreamingResponse, responses=_FILE)
async def export(
    _: Reviewer,
    parts: PartsOf,
    what: What = "items",
    kind: Annotated[Format, Query(alias="format")] = "csv",
    since: Annotated[
        Moment | None, Query(alias="from", description="Items published, or verdicts given, then or later.")
    ] = None,
    model_version: Annotated[str | None, Query(min_length=1, max_length=MAX_ID_CHARS)] = None,
) -> StreamingResponse:
    """A table as CSV, JSON lines or Parquet, sent as it is read.

    A connection that ends early has had a part of it: the file is whole when the answer ends in good order.
    """
    chosen = ExportChoice(what, since, model_version)
    chunks = exported(Source(parts.store, parts.shelves), chosen, kind)
    first = await anext(chunks)  # so that a store that is away is told as such
    name = f"aisle-{what}-{utc_now():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_all(first, chunks), media_type=MEDIA_TYPES[kind], headers=headers)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
