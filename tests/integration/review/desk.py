"""A gateway with a store, and reviewers who call it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from aiokafka.errors import KafkaTimeoutError
from fastapi import FastAPI

from infra.store import AUDIT, ITEMS, Store
from schemas.feedback import Feedback
from schemas.http.account import Role
from tests.integration.archived import event, verdict
from workers.gateway.access import Principal
from workers.gateway.parts import Parts

NEXT, CLAIM, RELEASE, PROGRESS, VERDICTS = (
    "/api/v1/review/next",
    "/api/v1/review/claim",
    "/api/v1/review/release",
    "/api/v1/review/progress",
    "/api/v1/verdicts",
)


@dataclass
class Topic:
    """In place of a broker: takes verdicts, or refuses those on some products."""

    store: Store
    given: list[Feedback] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    async def send_and_wait(self, topic: str, value: bytes, *, key: bytes, headers: Any) -> None:
        """Take a verdict, once the audit log has it."""
        assert ("feedback", b"application/json") == (topic, dict(headers)["content-type"])
        verdict = Feedback.model_validate_json(value)
        assert key.decode() == verdict.product_id
        noted = {"action": "verdict.give", "after.feedback_id": verdict.feedback_id}
        assert await self.store.collection(AUDIT).count_documents(noted) > 0, "noted before it is sent"
        if verdict.product_id in self.refuses:
            raise KafkaTimeoutError
        self.given.append(verdict)

    def said(self) -> list[tuple[str, str, str | None]]:
        """Who said what, in order."""
        return [(one.by, one.verdict, one.code) for one in self.given]


class Clock:
    """Stands until it is moved."""

    now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now


class Names:
    """A gatekeeper that knows two reviewers beside one caller a role."""

    async def bearer(self, token: str) -> Principal | None:
        """Whose token it is."""
        return Principal(token, Role(token) if token in set(Role) else Role.REVIEWER)

    async def session(self, secret: str) -> Principal | None:
        """Likewise."""
        return await self.bearer(secret)


@dataclass(frozen=True)
class Desk:
    """A gateway with a store, and who calls it."""

    app: FastAPI
    parts: Parts
    store: Store
    topic: Topic
    clock: Clock
    ana: httpx.AsyncClient
    bob: httpx.AsyncClient

    async def put(self, *documents: dict[str, Any]) -> None:
        """Archive items."""
        await self.store.collection(ITEMS).insert_many(list(documents))

    async def archive(self, number: int, said: str, **fields: Any) -> None:
        """Do as the archive does with a verdict."""
        part = {**verdict(said), **fields}
        await self.store.collection(ITEMS).update_one({"_id": event(number)}, {"$set": {"verdict": part}})

    async def next(self, who: httpx.AsyncClient, count: int = 1, **asked: Any) -> list[int]:
        """The numbers of the items that a reviewer gets."""
        answer = await who.post(NEXT, json={"count": count} | asked)
        assert 200 == answer.status_code, answer.text
        return [UUID(one["event_id"]).int for one in answer.json()["items"]]

    async def say(self, who: httpx.AsyncClient, *rows: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Give verdicts."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await who.post(VERDICTS, json={"verdicts": list(rows)}, headers=headers)

    async def audited(self) -> list[tuple[str, str, int]]:
        """Who did what to which item, in order."""
        found = self.store.collection(AUDIT).find().sort("_id", 1)
        return [(one["who"], one["action"], UUID(one["subject"]).int) async for one in found]


def row(number: int, said: str, **fields: Any) -> dict[str, Any]:
    """A verdict in a request."""
    return {"event_id": event(number), "verdict": said} | fields
