"""Models: what there is, and which is in service."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from schemas.http.comparison import ModelComparison
from schemas.http.model import ModelDecision, ModelList, ModelView, Promote, Rollback, Shadow, Told, Version
from schemas.model_event import ModelEvent
from workers.gateway.access import Operator, Watcher
from workers.gateway.api.closed import nothing_to_get
from workers.gateway.audit import Audit, Deed
from workers.gateway.operation import models
from workers.gateway.paging import Cursor, Limit
from workers.gateway.parts import Parts, PartsOf
from workers.gateway.problems import PROBLEMS
from workers.promotion import InForce

router = APIRouter(prefix=models.PATH, tags=["models"], responses=PROBLEMS)
nothing_to_get(router, "/rollback", "/shadow")

Named = Annotated[Version, Path(description="A version as the list has it, `champion` or `challenger`.")]
Compared = Annotated[Version, Query(description="A version, `champion` or `challenger`.")]


@router.get("", summary="The models")
async def list_models(_: Watcher, parts: PartsOf, limit: Limit = 50, cursor: Cursor = None) -> ModelList:
    """The models of this machine, the newest first, and which of them is in service."""
    return await models.listed(parts, limit, cursor)


@router.get("/compare", summary="Two models side by side")
async def compare(_: Watcher, parts: PartsOf, a: Compared, b: Compared) -> ModelComparison:
    """What their reports say, and what the second one answered in the shadow of the first."""
    return await models.compared(parts, a, b)


@router.get("/{version}", summary="One model")
async def show(_: Watcher, parts: PartsOf, version: Named) -> ModelView:
    """Its data, stages and scores, and what was decided for it."""
    return await models.shown(parts, version)


@router.get("/{version}/report", summary="A model's report", response_class=HTMLResponse)
async def report(_: Watcher, parts: PartsOf, version: Named) -> Response:
    """The page that its training wrote: nothing in it runs, and its styles are its own."""
    bundle = models.find(parts, version, await parts.operation.decisions.now())
    page, policy = await run_in_threadpool(models.report_of, bundle)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@router.post("/rollback", summary="Go back to the version before")
async def rollback(request: Request, who: Operator, parts: PartsOf, body: Rollback) -> Told:
    """Put the version in service that was before; done twice, the first one is in service again."""
    decisions = parts.operation.decisions
    event = (await decisions.now()).event
    before = _fields(event)
    subject = event.previous if event is not None and event.previous is not None else "none"
    await _note(request, who, parts, Deed("model.rollback", subject, before, {"why": body.why}))
    return _told(parts, await decisions.rollback(by=who.name, why=body.why))


@router.post("/shadow", summary="Try a model in the shadow")
async def shadow(request: Request, who: Operator, parts: PartsOf, body: Shadow) -> Told:
    """Have shadow workers score a sample of the products with it too. It answers nobody."""
    return await _shadow(request, who, parts, body.version, body.why)


@router.delete("/shadow", summary="Try no model in the shadow")
async def no_shadow(request: Request, who: Operator, parts: PartsOf) -> Told:
    """Take the challenger back."""
    return await _shadow(request, who, parts, None, None)


@router.post("/{version}/promote", summary="Put a model in service")
async def promote(request: Request, who: Operator, parts: PartsOf, version: Named, body: Promote) -> Told:
    """Check its files, and let every worker take it over within seconds, without a restart."""
    decisions = parts.operation.decisions
    now = await decisions.now()
    bundle = models.find(parts, version, now)
    after = {"version": bundle.name, "why": body.why}
    await _note(request, who, parts, Deed("model.promote", bundle.name, _fields(now.event), after))
    why = body.why or "promoted by hand"
    return _told(parts, await decisions.promote(bundle, by=who.name, why=why, expected=body.previous))


async def _shadow(request: Request, who: Operator, parts: Parts, version: str | None, why: str | None) -> Told:
    decisions = parts.operation.decisions
    now = await decisions.now()
    bundle = None if version is None else models.find(parts, version, now)
    subject = "none" if bundle is None else bundle.name
    await _note(request, who, parts, Deed("model.shadow", subject, _fields(now.challenger), {"why": why}))
    stands = await decisions.shadow(bundle, by=who.name, why=why or "put by hand")
    return Told(decision=ModelDecision.of(stands), untold=None, pinned=parts.settings.model is not None)


async def _note(request: Request, who: Operator, parts: Parts, deed: Deed) -> None:
    await Audit(parts.store).note_all(who, [deed], request_id=request.state.request_id)


def _fields(event: ModelEvent | None) -> object:
    decision = ModelDecision.of(event)
    return None if decision is None else decision.model_dump()


def _told(parts: Parts, now: InForce) -> Told:
    return Told(decision=ModelDecision.of(now.event), untold=now.untold, pinned=parts.settings.model is not None)
