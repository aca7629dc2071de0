"""The routes of the API that the pages see."""

# ruff: noqa: ARG001, C901 - a fake that mirrors its original
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from tests.browser.fake_api import NOW, TAXONOMY, Shop, explanation, photo, prediction, problem
from tests.browser.fake_operation import operation

PASSWORD = "nine tall lamps"  # noqa: S105 - of the fake


def routes(shop: Shop) -> APIRouter:
    """All of them, of one shop."""
    router = APIRouter(prefix="/api/v1")
    for add in (_accounts, _items, operation):
        add(router, shop)
    return router


def _accounts(router: APIRouter, shop: Shop) -> None:
    def signed_in(name: str) -> dict[str, Any]:
        return {"access_token": name, "token_type": "bearer", "expires_in": 600, "name": name, "role": name}

    @router.post("/auth/sign-in")
    async def sign_in(request: Request, response: Response) -> Any:
        body = await request.json()
        if body["password"] != PASSWORD:
            return problem(401, "sign-in-failed", "Name and password do not fit.")
        response.set_cookie("aisle_session", body["name"], httponly=True, samesite="lax")
        return signed_in(body["name"])

    @router.post("/auth/refresh")
    async def refresh(request: Request) -> Any:
        name = request.cookies.get("aisle_session")
        return signed_in(name) if name else problem(401, "unauthenticated", "The session is over.")

    @router.post("/auth/sign-out")
    async def sign_out(response: Response) -> None:
        response.delete_cookie("aisle_session")

    @router.post("/auth/accept")
    async def accept(response: Response) -> Any:
        response.set_cookie("aisle_session", "admin", httponly=True, samesite="lax")
        return signed_in("admin")

    @router.get("/users")
    async def users() -> Any:
        return {"items": shop.users, "next": None}

    @router.post("/users")
    async def add_user(request: Request) -> Any:
        body = await request.json()
        made = {**shop.users[0], **body, "invited": True, "signed_in_at": None}
        shop.users.append(made)
        link = {"name": body["name"], "token": "t", "link": "http://x/welcome?token=t", "expires_at": NOW.isoformat()}
        return {"user": made, "invitation": link}

    @router.patch("/users/{name}")
    async def change_user(name: str, request: Request) -> Any:
        found = next(one for one in shop.users if one["name"] == name)
        found.update(await request.json())
        return found

    @router.delete("/users/{name}")
    async def remove_user(name: str) -> None:
        shop.users[:] = [one for one in shop.users if one["name"] != name]

    @router.get("/me/sessions")
    async def sessions() -> Any:
        at = NOW.isoformat()
        one = {"id": "1", "current": True, "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "created_at": at}
        return {"items": [one | {"used_at": at, "expires_at": at}], "next": None}

    @router.get("/me/keys")
    async def keys() -> Any:
        one = {"id": "k1", "name": "shop importer", "created_at": NOW.isoformat(), "expires_at": None, "used_at": None}
        return {"items": [one], "next": None}

    @router.get("/audit")
    async def audit() -> Any:
        one = {
            "id": "1", "at": NOW.isoformat(), "who": "reviewer", "role": "reviewer", "action": "verdict.give",
            "subject": shop.items[0]["event_id"], "before": None, "after": {"verdict": "corrected", "code": "2583"},
            "request_id": "0192f0c1",
        }  # fmt: skip
        return {"items": [one | {"id": str(number)} for number in range(5)], "next": None}


def _items(router: APIRouter, shop: Shop) -> None:
    @router.get("/taxonomy")
    async def taxonomy(lang: str = "en") -> Any:
        categories = [TAXONOMY.category(code, lang).model_dump() for code in TAXONOMY.codes]
        return {"categories": categories, "language": lang, "languages": ["en", "fr"]}

    @router.post("/predictions/upload")
    async def upload(request: Request) -> Any:
        async with request.form() as form:
            title = str(form.get("title") or "")
        if title == "poison":
            return problem(422, "not-classified", "The photo cannot be read.")
        answer = prediction("0" * 36, "2060", 0.87, datetime.now(UTC))
        return answer | {"explanation": explanation(title)}

    @router.get("/items")
    async def items(text: str = "") -> Any:
        found = [one for one in shop.items if text.lower() in one["product"]["title"].lower()]
        return {"items": found[:50], "next": None}

    @router.get("/items/{event_id}")
    async def item(event_id: str) -> Any:
        if shop.stored_after > 0:
            shop.stored_after -= 1
            return problem(404, "not-found", "There is no such item.")
        return shop.item(event_id)

    @router.get("/items/{event_id}/explanation")
    async def explained(event_id: str) -> Any:
        return {"explanation": explanation(shop.item(event_id)["product"]["title"])}

    @router.get("/items/{event_id}/photo")
    async def picture(event_id: str) -> Response:
        return Response(photo(), media_type="image/png")

    @router.get("/items/{event_id}/similar")
    async def similar(event_id: str) -> Any:
        code = shop.item(event_id)["prediction"]["category"]["code"]
        like = [one for one in shop.items if one["prediction"]["category"]["code"] == code and not one["verdict"]]
        return {"items": [one for one in like if one["event_id"] != event_id][:20], "next": None}

    @router.post("/review/next")
    async def review_next(request: Request) -> Any:
        if "review" in shop.away:
            return problem(503, "store-unavailable", "The store is away.", retryable=True)
        body = await request.json()
        skip = set(body.get("skip") or ())
        waiting = [one for one in shop.items if not one["verdict"] and one["event_id"] not in skip]
        waiting.sort(key=lambda one: one["prediction"]["confidence"])
        return {"items": waiting[: body["count"]]}

    @router.post("/review/claim")
    async def claim(request: Request) -> Any:
        asked = (await request.json())["event_ids"]
        mine = [one for one in asked if one not in shop.held]
        return {"event_ids": mine, "skipped": len(asked) - len(mine)}

    @router.post("/review/release")
    async def release(request: Request) -> None:
        shop.released.update((await request.json())["event_ids"])

    @router.get("/review/progress")
    async def progress() -> Any:
        return {
            "today": len(shop.verdicts),
            "today_all": len(shop.verdicts),
            "waiting": sum(not one["verdict"] for one in shop.items),
            "more_waiting": False,
        }

    @router.post("/verdicts")
    async def verdicts(request: Request) -> Any:
        if "verdicts" in shop.away:
            return problem(503, "store-unavailable", "The store is away.", retryable=True)
        if "token" in shop.away:
            return problem(401, "unauthenticated", "The token is over.")
        if "sense" in shop.away:
            return problem(500, "internal", "Something went wrong.")
        key = request.headers["idempotency-key"]
        if key not in shop.seen_keys:
            shop.seen_keys[key] = [_judged(shop, one) for one in (await request.json())["verdicts"]]
        return {"items": shop.seen_keys[key]}


def _judged(shop: Shop, one: dict[str, Any]) -> dict[str, Any]:
    other, item = shop.decided.get(one["event_id"]), shop.item(one["event_id"])
    if one["event_id"] in shop.refuses:
        return {"event_id": one["event_id"], "problem": {"code": "unprocessable", "detail": "No such category."}}
    if other is not None and one.get("seen", other["feedback_id"]) != other["feedback_id"]:
        why = {"code": "already-judged", "detail": "Decided meanwhile.", "stands": other}
        return {"event_id": one["event_id"], "problem": why}
    shop.verdicts.append(one)
    item["verdict"] = None if one["verdict"] in {"withdrawn", "undo"} else {**one, "feedback_id": "f", "by": "reviewer"}
    return one | {"feedback_id": "f", "problem": None}
