"""A gateway in one process, without a broker: its application with parts that a test can hold."""

from pathlib import Path

import httpx
from fastapi import FastAPI

from infra.health import Health
from infra.images import ImageStore
from infra.photos import Photos
from infra.settings import Settings
from infra.store import Store
from schemas.http.account import Role
from workers.gateway.access import Principal
from workers.gateway.app import create_app
from workers.gateway.parts import Parts
from workers.gateway.road.answers import Answers
from workers.gateway.road.submit import Road

NOWHERE = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"


class Callers:
    """A gatekeeper that knows one caller for each role, whose name, token and session are the role's."""

    async def bearer(self, token: str) -> Principal | None:
        """The caller of this token."""
        return Principal(token, Role(token)) if token in set(Role) else None

    async def session(self, secret: str) -> Principal | None:
        """The caller of this session."""
        return await self.bearer(secret)


def gateway(data_dir: Path, store: Store | None = None, **settings: object) -> tuple[FastAPI, Parts]:
    """An application and its parts; without a store, one that nobody answers for."""
    given = Settings(data_dir=data_dir, **settings)  # type: ignore[arg-type] # names of settings
    images = ImageStore(data_dir / "images")
    road = Road(Answers(given.gateway_pending))
    parts = Parts(given, store or Store(NOWHERE, "test"), road, images, Photos([], images), Health())
    return create_app(parts, Callers()), parts


def client(app: FastAPI, role: Role | None = None) -> httpx.AsyncClient:
    """A client of an application, signed in in a role."""
    headers = {} if role is None else {"Authorization": f"Bearer {role}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://gateway", headers=headers
    )
