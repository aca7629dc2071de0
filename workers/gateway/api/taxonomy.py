"""The categories."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from schemas.http.taxonomy import TaxonomyView
from workers.gateway.access import Customer
from workers.gateway.etag import NOT_MODIFIED, tagged
from workers.gateway.operation.taxonomy import taxonomy_in_force, view
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/taxonomy", tags=["taxonomy"], responses=PROBLEMS)

Language = Annotated[
    str | None,
    Query(pattern=r"^[a-z]{2,3}$", description="ISO 639-1, as en or fr; default: AISLE_LANGUAGE."),
]


@router.get("", summary="The categories", response_model=TaxonomyView, responses=NOT_MODIFIED)
async def read(request: Request, _: Customer, parts: PartsOf, lang: Language = None) -> Response:
    """Every category that a product may be put into, with its label and theme in a language."""
    taxonomy, version = await taxonomy_in_force(parts)
    language = lang or parts.settings.language
    found = view(taxonomy, language, version)
    return tagged(request, found, f"{found.sha256[:16]}-{language}-{version or 'set'}")
