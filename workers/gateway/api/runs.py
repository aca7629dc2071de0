"""Retraining: what was done, what goes on, and asking for more."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.status import HTTP_202_ACCEPTED

from infra.runs import Runs
from schemas.http.run import Retrain, RunList, RunView
from workers.gateway.access import Operator, Watcher
from workers.gateway.audit import Audit
from workers.gateway.operation import runs
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import PartsOf
from workers.gateway.problems import PROBLEMS

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], responses=PROBLEMS)

RunId = Annotated[int, Path(ge=1, le=2**31 - 1, alias="id", description="The run's number.")]
Place = Annotated[str | None, Query(max_length=200, description="`log_next` of the answer before.")]


@router.get("", summary="The runs")
async def list_runs(_: Watcher, parts: PartsOf, limit: Limit = 50, cursor: Cursor = None) -> RunList:
    """The runs, the latest first, and whether a retraining worker is there."""
    return await runs.listed(parts.store, limit, cursor)


@router.get("/{id}", summary="One run")
async def show(_: Watcher, parts: PartsOf, run: RunId, log_from: Place = None) -> RunView:
    """What fired it, how far it is, how it was judged, and its log as it grows."""
    return await runs.shown(parts.store, run, log_from)


@router.post("", status_code=HTTP_202_ACCEPTED, summary="Train now")
async def ask(request: Request, who: Operator, parts: PartsOf, body: Retrain) -> RunView:
    """Ask the retraining worker for a run, whatever the triggers say."""
    note = Audit(parts.store).note
    await note(who, "run.ask", "retraining", after=body.model_dump(), request_id=request.state.request_id)
    run = await Runs(parts.store).ask_by_hand(who.name, body.why)
    return await runs.shown(parts.store, run.id, None)


@router.post("/{id}/cancel", status_code=HTTP_202_ACCEPTED, summary="End a run")
async def cancel(request: Request, who: Operator, parts: PartsOf, run: RunId) -> RunView:
    """End a run that waits or is under way, within seconds; the champion stays as it is."""
    before = await runs.known(parts.store, run)
    fields = {"state": before.state, "step": before.step}
    note = Audit(parts.store).note
    await note(who, "run.cancel", str(run), before=fields, request_id=request.state.request_id)
    return await runs.cancelled(parts.store, run)
