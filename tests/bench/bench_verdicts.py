"""How soon a person's word on a content is every worker's answer: ``python -m tests.bench verdicts``.

`aisle up` with several workers answers a product; a plain client corrects it, and the same content is sent again and
again, in copies that reach every partition, until all copies of a round have the person's category. Then a worker is
killed, and the one that takes its place is asked as well.
"""

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import orjson

from infra.kafka.clients import producer_client, reader_client
from schemas.headers import EVENT_ID
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_IN
from tests.bench.standing import standing
from tests.integration.road import Road, wait

_COPIES: Final = 64
_PAUSE_S: Final = 0.5  # the archive, through which a verdict goes, has to store the copies too
_ROUND_S: Final = 30.0
_WHOLE_S: Final = 60.0

Answer = tuple[str, str]
"""Category, and who decided it."""


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench verdicts", description=__doc__, allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with standing("--workers", str(options.workers)) as road:
        print(json.dumps(asyncio.run(_measure(road, options)), indent=1))


async def _measure(road: Road, options: argparse.Namespace) -> dict[str, Any]:
    client = Client(road.kafka)
    async with client.reading():
        rows = [await _round(client, number) for number in range(options.rounds)]
        victim = road.pids("worker", "classify")[0]
        os.kill(victim, signal.SIGKILL)
        await asyncio.to_thread(
            wait, lambda: len(set(road.pids("worker", "classify")) - {victim}) == options.workers, 60
        )
        title = rows[-1]["title"]
        answers = await client.ask(title)
    late = sum(answer == ("biscuits", "reviewer") for answer in answers)
    return {
        "workers": options.workers,
        "seconds": [row["s"] for row in rows],
        "after_a_kill": f"{late} of {len(answers)} by the person's word",
    }


async def _round(client: "Client", number: int) -> dict[str, Any]:
    """Correct a product; seconds until all copies of its content are answered so."""
    title = f"Soupe de légumes du potager {uuid4()}"
    (event_id,) = await client.send([title])
    await client.answers([event_id])
    corrected = monotonic()
    await client.correct(event_id)
    async with asyncio.timeout(_WHOLE_S):
        while True:
            sent = monotonic()
            if set(await client.ask(title)) == {("biscuits", "reviewer")}:
                row = {"s": round(sent - corrected, 2), "title": title}
                print(json.dumps({"round": number, "s": row["s"]}), flush=True)
                return row
            await asyncio.sleep(_PAUSE_S)


class Client:
    """A plain client of the topics.

    Args:
        bootstrap: ``host:port`` of the broker.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._found: dict[str, Answer] = {}

    def reading(self) -> Any:
        """Take in what the workers answer while the context lasts."""
        return _Reading(self._bootstrap, self._found)

    async def send(self, titles: Sequence[str]) -> list[str]:
        """Publish products; their event ids."""
        ids = [str(uuid4()) for _ in titles]
        async with producer_client(self._bootstrap) as producer:
            for identity, title in zip(ids, titles, strict=True):
                value = orjson.dumps({"product_id": identity, "title": title})
                await producer.send(PRODUCTS_IN, value, key=identity.encode(), headers=[(EVENT_ID, identity.encode())])
            await producer.flush()
        return ids

    async def ask(self, title: str) -> list[Answer]:
        """What copies of a content are answered, that reach every partition."""
        return await self.answers(await self.send([title] * _COPIES))

    async def answers(self, ids: Sequence[str]) -> list[Answer]:
        """The answers to some events, once all are there."""
        async with asyncio.timeout(_ROUND_S):
            while not self._found.keys() >= set(ids):
                await asyncio.sleep(0.01)
        return [self._found[one] for one in ids]

    async def correct(self, event_id: str) -> None:
        """Say what it is."""
        said = {"event_id": event_id, "verdict": "corrected", "code": "biscuits", "by": "bench"}
        async with producer_client(self._bootstrap) as producer:
            await producer.send_and_wait(FEEDBACK, orjson.dumps(said), key=event_id.encode())


class _Reading:
    def __init__(self, bootstrap: str, found: dict[str, Answer]) -> None:
        self._bootstrap, self._found = bootstrap, found

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._read())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _read(self) -> None:
        async with reader_client(self._bootstrap, PREDICTIONS_OUT, from_start=True) as reader:
            while True:
                fetched = await reader.getmany(timeout_ms=100)
                for record in (record for rows in fetched.values() for record in rows):
                    identity = next((value for name, value in record.headers if name == EVENT_ID), b"").decode()
                    value = orjson.loads(record.value)
                    self._found.setdefault(identity, (value["category"]["code"], value["decided_by"]))
