"""A gateway whose accounts are real, and the people who use it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from infra.lease import utc_now
from infra.store import Store
from schemas.http.account import Role
from tests.gateway import gateway
from workers.gateway.accounts.doer import Doer
from workers.gateway.accounts.gatekeeper import Accounts
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.app import create_app

PASSWORD = "nine tall lamps"  # noqa: S105 - of accounts that last as long as a test
OTHER = "eight small lamps"
SECRET = "s" * 40


class Clock:
    """The time, which a test moves on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Now."""
        return utc_now() + self.ahead


class Gateway:
    """A gateway whose accounts are real."""

    def __init__(self, store: Store, data_dir: Path, **settings: object) -> None:
        given: dict[str, Any] = {"gateway_secret": SECRET, "gateway_tries_per_minute": 1_000} | settings
        _, parts = gateway(data_dir, store, **given)
        self.clock = Clock()
        self.hasher = Hasher(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        self.accounts = Accounts(store, parts.settings, self.clock, self.hasher)
        self.app = create_app(parts, self.accounts)

    def browser(self, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A browser with no cookies yet."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)

    async def add(self, name: str, role: Role = Role.CUSTOMER) -> None:
        """An account with the password of all of them."""
        await self.accounts.administration.add(name, role, Doer("test"), await self.hasher.hash(PASSWORD))

    async def sign_in(self, name: str, password: str = PASSWORD) -> "Person":
        """Somebody who is signed in."""
        browser = self.browser()
        answer = await browser.post("/api/v1/auth/sign-in", json={"name": name, "password": password})
        assert 200 == answer.status_code, answer.text
        return Person(browser, answer.json()["access_token"])


class Person:
    """Somebody's browser, and the access token of its page."""

    def __init__(self, browser: httpx.AsyncClient, token: str) -> None:
        self.browser = browser
        self.token = token

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A call of the API."""
        return await self.browser.request(
            method, f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, **more
        )

    async def status(self) -> int:
        """What the gateway says to the access token."""
        return (await self.ask("GET", "/me")).status_code
