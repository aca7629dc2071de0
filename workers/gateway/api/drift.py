"""What the monitor found."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse

from schemas.http.drift import CheckHistory, CheckKind, DriftView
from workers.gateway.access import Watcher
from workers.gateway.operation import drift
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix=drift.PATH, tags=["drift"], responses=PROBLEMS)

Day = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Name = Annotated[str, Path(pattern=r"^drift(-[0-9]{6})?$")]
Format = Annotated[Literal["html", "json"], Query(alias="format")]

_REPORT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/html", "application/json")},
    }
}
_MEDIA_TYPES: Final = {"html": "text/html; charset=utf-8", "json": "application/json"}


@router.get("", summary="The newest checks")
async def newest(_: Watcher, parts: PartsOf) -> DriftView:
    """The newest check of each kind, and the drift reports of this machine."""
    return await drift.newest(parts.store, parts.settings.data_dir)


@router.get("/checks", summary="Checks over time")
async def checks(
    _: Watcher, parts: PartsOf, kind: CheckKind = "drift", limit: Limit = 50, cursor: Cursor = None
) -> CheckHistory:
    """The checks of one kind, the newest first; those of 90 days are kept."""
    return await drift.history(parts.store, kind, limit, cursor)


@router.get("/reports/{day}/{name}", summary="A drift report", response_class=FileResponse, responses=_REPORT)
async def report(_: Watcher, parts: PartsOf, day: Day, name: Name, form: Format = "html") -> FileResponse:
    """The page that the monitor wrote, in a sandbox, or its figures."""
    path = drift.report_file(parts.settings.data_dir, day, name, form)
    headers = {"Content-Security-Policy": drift.POLICY} if form == "html" else {}
    return FileResponse(path, media_type=_MEDIA_TYPES[form], headers=headers)
