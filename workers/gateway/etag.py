"""Answers that a caller has already are not sent again (RFC 9110, section 13)."""

from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "The caller has it already."}}
"""To be added to the responses of a route that may answer so."""


def tagged(request: Request, answer: BaseModel, tag: str) -> Response:
    """An answer with its entity tag, or 304 where the caller has it.

    Args:
        request: Its header If-None-Match is looked at.
        answer: What is sent.
        tag: Changes when the answer does; ASCII without quotes.
    """
    own = f'"{tag}"'
    headers = {"ETag": own, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    given = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if own in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(answer.model_dump_json(), headers=headers, media_type="application/json")
