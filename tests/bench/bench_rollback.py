"""The way back: ``python -m tests.bench rollback``.

Several workers answer a steady stream; `aisle models rollback` is called, as a user does. Measured from the call: when
it returns, and when each worker serves the former version.
"""

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any, Final

from infra.model_events import Standing, decide
from infra.process import module
from infra.settings import Settings
from model.champion import promote, promotion
from schemas.model_event import ModelEvent
from tests.bench.bench_swaps import copied
from tests.bench.broker import PARTITIONS, Broker
from tests.bench.load import Events, publish_steadily
from tests.bench.worker import Worker, worker
from tests.integration.road import environment

_SERVED_S: Final = 60.0
_POLL_S: Final = 0.05


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench rollback", description=__doc__, allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=200, help="events a second")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="aisle-rollback-") as folder:
        print(json.dumps(asyncio.run(_measure(Path(folder), options)), indent=1))


async def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.bench.bench_stream import bundle

    models_dir = folder / "data" / "models"
    first, second = (copied(bundle(), models_dir / name) for name in ("first", "second"))
    promote(models_dir, first, by="bench", why="to begin with")
    broker = Broker(folder / "broker")
    with broker.services, ExitStack() as stack:
        await broker.create_topics()
        settings = Settings(_env_file=None, data_dir=folder / "data", kafka_bootstrap=broker.bootstrap)
        workers = [
            stack.enter_context(worker("classify", settings, folder / f"{number}.log"))
            for number in range(options.workers)
        ]
        for one in workers:
            await one.ready()
        over = asyncio.Event()
        load = asyncio.create_task(
            publish_steadily(
                broker.bootstrap, Events("rollback", PARTITIONS).event, options.rate, enough=lambda _: over.is_set()
            )
        )
        rows = [await _round(settings, broker.bootstrap, workers, first, second) for _ in range(options.rounds)]
        over.set()
        return {"workers": len(workers), "events": await load, "rollbacks": rows}


async def _round(
    settings: Settings, bootstrap: str, workers: Sequence[Worker], first: Path, second: Path
) -> dict[str, float]:
    """Promote the second, and go back; seconds from the call, and from its end, until all serve the first."""

    def following(standing: Standing) -> ModelEvent:
        assert standing.champion is not None
        return promotion(second, standing.champion, by="bench", why="to be taken back")

    await decide(bootstrap, following)
    await _served(workers, second.name)
    called = monotonic()
    served = asyncio.create_task(_served(workers, first.name))
    command = await asyncio.to_thread(
        subprocess.run,
        module("scripts", "models", "rollback"),
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert command.returncode == 0, command.stderr
    returned = monotonic()
    await served
    row = {"command_s": round(returned - called, 2), "all_serve_it_s": round(monotonic() - called, 2)}
    print(json.dumps(row), flush=True)
    return row


async def _served(workers: Sequence[Worker], version: str) -> None:
    """Return once all workers answer by a version."""
    async with asyncio.timeout(_SERVED_S):
        while any([await asyncio.to_thread(one.version) != version for one in workers]):
            await asyncio.sleep(_POLL_S)
