"""Predict calls over HTTP: ``python -m tests.bench gateway``.

`aisle up` serves. First one caller asks again and again, which gives the latency of an idle machine. Then many ask at a
time for a minute, each product with an Idempotency-Key of its own; in the middle the gateway is told to stop and comes
back, and every call that failed is made again with its key. The topics tell at the end whether each key is one event,
and how often each was classified.
"""

import argparse
import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import aiohttp
import httpx
import numpy as np

from infra.endpoints import find_endpoints
from infra.local.ports import any_free_port
from infra.store import Store
from schemas.http.account import Role
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from tests.bench.standing import standing
from tests.chaos.verify import read
from tests.integration.road import Road, eventually
from workers.gateway.accounts.passwords import Hasher
from workers.gateway.accounts.users import Users

_PASSWORD: Final = "of the bench alone"  # noqa: S105 - its account ends with it
_PAUSE_S: Final = 0.2
_AGAIN_S: Final = 30.0


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench gateway", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--alone", type=int, default=300, help="calls of the one caller before")
    options = parser.parse_args(arguments)
    # All callers are one account.
    with standing("--no-learning", gateway_port=any_free_port(), gateway_predictions_per_minute=0) as road:
        print(json.dumps(asyncio.run(_measure(road, options)), indent=1))


@dataclass
class Calls:
    """What became of calls.

    Args:
        url: Of the gateway.
        token: Says who calls.
    """

    url: str
    token: str
    took_s: list[tuple[float, float]] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)

    def client(self) -> aiohttp.ClientSession:
        """A client of many connections."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return aiohttp.ClientSession(self.url, headers=headers, connector=aiohttp.TCPConnector(limit=0))

    async def make(self, client: aiohttp.ClientSession) -> None:
        """Have one product classified; what fails is made again with its key until it is done."""
        key = str(uuid4())
        until = monotonic() + _AGAIN_S
        while True:
            began = monotonic()
            try:
                async with client.post(
                    "/api/v1/predictions", json={"title": f"Biscuits {key}"}, headers={"Idempotency-Key": key}
                ) as answer:
                    content = await answer.json(content_type=None)
                why = "" if answer.status == httpx.codes.OK else f"{answer.status}"
            except aiohttp.ClientError as error:
                why = type(error).__name__
            if not why:
                self.took_s.append((began, monotonic() - began))
                self.events[key] = content["event_id"]
                return
            self.failed.append((began, why))
            if monotonic() > until:
                return
            await asyncio.sleep(_PAUSE_S)


async def _measure(road: Road, options: argparse.Namespace) -> dict[str, Any]:
    calls = Calls(road.gateway, await sign_in(road))
    async with calls.client() as client:
        for _ in range(options.alone):
            await calls.make(client)
    alone, calls.took_s = [took for _, took in calls.took_s], []
    async with calls.client() as client:
        until = monotonic() + options.seconds
        callers = [asyncio.create_task(_call(calls, client, until)) for _ in range(options.callers)]
        await asyncio.sleep(options.seconds / 2)
        stopped = monotonic()
        os.kill(road.pids("worker", "gateway")[0], signal.SIGTERM)
        await _ready(road)
        back = monotonic()
        await asyncio.gather(*callers)
    within = [why for at, why in calls.failed if stopped - 1 <= at <= back + 1]
    answered = Counter(identity for _, _, identity, _ in await read(road.kafka, PREDICTIONS_OUT))
    published = Counter(identity for _, _, identity, _ in await read(road.kafka, PRODUCTS_IN))
    mine = set(calls.events.values())
    return {
        "alone_ms": _spread(alone),
        "callers": options.callers,
        "calls": len(calls.took_s),
        "per_s": round(len(calls.took_s) / options.seconds, 1),
        "ms": _spread([took for at, took in calls.took_s if not stopped - 1 <= at <= back + 1]),
        "restart_s": round(back - stopped, 2),
        "failed_within_the_restart": dict(Counter(within)),
        "failed_outside_it": dict(Counter(why for at, why in calls.failed if not stopped - 1 <= at <= back + 1)),
        "keys_without_an_answer": sum(1 for key in calls.events if calls.events[key] not in answered),
        "keys_with_an_event_of_their_own": len(mine) == len(calls.events),
        "published_twice": sum(published[one] > 1 for one in mine),
        "classified_twice": sum(answered[one] > 1 for one in mine),
    }


async def _call(calls: Calls, client: aiohttp.ClientSession, until: float) -> None:
    while monotonic() < until:
        await calls.make(client)


async def sign_in(road: Road) -> str:
    """An API key of an account that is made for the bench."""
    store = Store(find_endpoints(road.settings).mongodb_uri, road.settings.mongodb_database)
    await Users(store).add("bench", Role.CUSTOMER, await Hasher().hash(_PASSWORD), "the bench")
    store.close()
    await _ready(road)
    async with httpx.AsyncClient(base_url=road.gateway) as client:
        answer = await client.post("/api/v1/auth/sign-in", json={"name": "bench", "password": _PASSWORD})
        assert answer.is_success, answer.text
        token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        made = await client.post("/api/v1/me/keys", json={"name": "bench"}, headers=token)
    key: str = made.json()["key"]
    return key


async def _ready(road: Road) -> None:
    async with httpx.AsyncClient() as client:

        async def ready() -> bool:
            try:
                return (await client.get(f"{road.gateway}/health/ready")).is_success
            except httpx.HTTPError:
                return False

        await asyncio.sleep(_PAUSE_S)
        await eventually(ready, 60)


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95, p99, most = (np.quantile(seconds, share) * 1_000 for share in (0.5, 0.95, 0.99, 1.0))
    return {name: round(float(value), 1) for name, value in (("p50", p50), ("p95", p95), ("p99", p99), ("max", most))}
