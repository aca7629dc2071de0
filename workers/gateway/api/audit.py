"""Reading the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query

from schemas.http.audit import AuditEntry
from schemas.http.moment import Moment
from schemas.http.paging import Page
from schemas.limits import MAX_ID_CHARS
from workers.gateway.access import Admin
from workers.gateway.audit import Audit, AuditChoice
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], responses=PROBLEMS)

Named = Annotated[str | None, Query(min_length=1, max_length=MAX_ID_CHARS)]


@router.get("", summary="Who did what")
async def read(
    _: Admin,
    parts: PartsOf,
    who: Named = None,
    action: Named = None,
    subject: Named = None,
    since: Annotated[Moment | None, Query(alias="from", description="Included.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Not included.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AuditEntry]:
    """The audit log, newest first."""
    choice = AuditChoice(who, action, subject, since, until)
    return await Audit(parts.store).read(choice, limit, cursor)
