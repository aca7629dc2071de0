"""The pages by their paths. They are shells: what they show comes from the API, asked by their scripts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.status import HTTP_303_SEE_OTHER

from schemas.http.model import Version
from schemas.ids import EventId
from workers.gateway.operation import drift
from workers.gateway.operation.models import find, report_of
from workers.gateway.pages.menu import home_of
from workers.gateway.pages.topics import topics as contract
from workers.gateway.pages.views import show
from workers.gateway.pages.visits import (
    Admin,
    Customer,
    Holder,
    Page,
    Passer,
    Reviewer,
    Watcher,
    way_back,
)
from workers.gateway.parts import PartsOf

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/")
async def home(who: Holder) -> Response:
    """To the page where the visitor's work begins."""
    return RedirectResponse(home_of(who), HTTP_303_SEE_OTHER)


@router.get("/sign-in")
async def sign_in(
    request: Request,
    who: Passer,
    parts: PartsOf,
    then: Annotated[str | None, Query(alias="next", max_length=2_000)] = None,
) -> Response:
    """Name and password."""
    target = way_back(then)
    if who is not None:
        return RedirectResponse(target, HTTP_303_SEE_OTHER)
    return show(request, "sign-in", then=target, sign_up=parts.settings.gateway_sign_up)


@router.get("/sign-up")
async def sign_up(request: Request, who: Passer, parts: PartsOf) -> Response:
    """A new account, where the settings allow it."""
    if who is not None or not parts.settings.gateway_sign_up:
        return RedirectResponse("/sign-in", HTTP_303_SEE_OTHER)
    return show(request, "sign-up")


@router.get("/welcome")
async def welcome(
    request: Request, _who: Passer, token: Annotated[str | None, Query(max_length=1_000)] = None
) -> Response:
    """Where a one-time link leads: to choose a password."""
    return show(request, "welcome", token=token or "")


@router.get("/account")
async def account(request: Request, _who: Holder) -> Response:
    """One's password, sessions and API keys."""
    return show(request, "account")


@router.get("/classify")
async def classify(request: Request, _who: Customer) -> Response:
    """Have a product classified."""
    return show(request, "classify")


@router.get("/files")
async def files(request: Request, _who: Customer) -> Response:
    """Have a file of products classified."""
    return show(request, "files")


@router.get("/review")
async def review(request: Request, _who: Reviewer) -> Response:
    """Say what unsure items are."""
    return show(request, "review")


@router.get("/items")
async def items(request: Request, _who: Customer) -> Response:
    """Search the items."""
    return show(request, "items")


@router.get("/items/{event_id}")
async def item(request: Request, _who: Customer, event_id: EventId) -> Response:
    """One item with its history."""
    return show(request, "item", event_id=event_id)


@router.get("/live")
async def live(request: Request, _who: Watcher) -> Response:
    """What is being classified."""
    return show(request, "live")


@router.get("/dashboard")
async def dashboard(request: Request, _who: Watcher) -> Response:
    """The figures over time."""
    return show(request, "dashboard")


@router.get("/models")
async def models(request: Request, _who: Watcher) -> Response:
    """Models and trainings."""
    return show(request, "models")


@router.get("/models/{version}/report")
async def report(_who: Watcher, parts: PartsOf, version: Version) -> Response:
    """The page that a model's training wrote, under a policy of its own."""
    bundle = find(parts, version, await parts.operation.decisions.now())
    page, policy = await run_in_threadpool(report_of, bundle)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@router.get("/drift/{day}/{name}")
async def drift_report(
    _who: Watcher,
    parts: PartsOf,
    day: Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")],
    name: Annotated[str, Path(pattern=r"^drift(-[0-9]{6})?$")],
) -> Response:
    """A page that the monitor wrote, in a sandbox of its own."""
    path = drift.report_file(parts.settings.data_dir, day, name, "html")
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": drift.POLICY})


@router.get("/dead-letters")
async def dead_letters(request: Request, _who: Watcher) -> Response:
    """What could not be classified."""
    return show(request, "dead-letters")


@router.get("/users")
async def users(request: Request, _who: Admin) -> Response:
    """The accounts."""
    return show(request, "users")


@router.get("/audit")
async def audit(request: Request, _who: Admin) -> Response:
    """Who did what."""
    return show(request, "audit")


@router.get("/docs")
async def docs(request: Request, _who: Passer) -> Response:
    """The API, to read and to try."""
    return show(request, "docs")


@router.get("/topics")
async def topics(request: Request, _who: Passer) -> Response:
    """The topics, to read."""
    return show(request, "topics", topics=contract())
