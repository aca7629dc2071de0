"""Swaps under load: a model takes over from another again and again while products come at a steady rate.

Counted from outside, of one real worker: what became of every event, which version answered when, the memory, how
long events took, and how long a decision takes to be in service.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any, Final

import numpy as np
import orjson

from infra.kafka.clients import reader_client
from infra.kafka.producer import OutRecord
from infra.model_events import Standing, decide
from infra.settings import Settings
from model.champion import promote, promotion
from schemas.headers import EVENT_ID
from schemas.model_event import ModelEvent
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ
from tests.bench.broker import PARTITIONS, Broker
from tests.bench.load import Events, publish_steadily
from tests.bench.worker import Worker, worker

_SETTLED: Final = 10
"""Swaps after which memory is compared."""
_CALM_S: Final = 10.0
_SWAP_S: Final = 120.0
_STRAGGLERS_S: Final = 60.0
_POLL_S: Final = 0.02


@dataclass
class Seen:
    """What readers of the answers see.

    Args:
        sent: When each event was handed to the client, by its id.
        answers: Arrival, duration in seconds, version and time of classification of each answer, as it came.
        dead: Dead letters.
    """

    sent: dict[bytes, float] = field(default_factory=dict)
    answers: list[tuple[float, float, str, str]] = field(default_factory=list)
    answered: set[bytes] = field(default_factory=set)
    dead: int = 0

    def note(self, record: OutRecord) -> None:
        """An event is about to be sent."""
        assert record.headers[0][1] is not None
        self.sent[record.headers[0][1]] = monotonic()

    async def follow(self, reader: Any) -> None:
        """Take in answers."""
        while True:
            fetched = await reader.getmany(timeout_ms=500)
            now = monotonic()
            for record in (record for rows in fetched.values() for record in rows):
                if record.topic == PRODUCTS_DLQ:
                    self.dead += 1
                    continue
                identity = next((value for name, value in record.headers if name == EVENT_ID), b"")
                self.take(identity, orjson.loads(record.value), now)

    def take(self, identity: bytes, answer: dict[str, Any], at: float) -> None:
        """An answer came."""
        self.answered.add(identity)
        self.answers.append((at, at - self.sent[identity], answer["model"]["version"], answer["classified_at"]))

    def percentiles(self, since: float, until: float) -> dict[str, float]:
        """How long the answers took that came in between, in milliseconds."""
        took = [1_000 * took for at, took, *_ in self.answers if since <= at < until]
        return {f"p{share:g}_ms": float(np.percentile(took, share)) for share in (50, 99, 100)} if took else {}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench swaps", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model", type=Path, help="the bundle; else that of the stream's bench")
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--rate", type=float, default=200, help="events a second")
    options = parser.parse_args(arguments)
    bundle = options.model
    if bundle is None:
        from tests.bench.bench_stream import bundle as made

        bundle = made()
    with tempfile.TemporaryDirectory(prefix="aisle-swaps-") as folder:
        figures = asyncio.run(_measure(Path(folder), bundle, options.swaps, options.rate))
    print(json.dumps(figures, indent=1))


async def _measure(folder: Path, bundle: Path, swaps: int, rate: float) -> dict[str, Any]:
    models_dir = folder / "data" / "models"
    bundles = [copied(bundle, models_dir / name) for name in ("first", "second")]
    last = promote(models_dir, bundles[0], by="bench", why="to begin with")
    broker = Broker(folder / "broker")
    with broker.services:
        await broker.create_topics()
        settings = Settings(data_dir=folder / "data", kafka_bootstrap=broker.bootstrap)
        with worker("classify", settings, folder / "worker.log") as one:
            await one.ready()
            return await _load(broker.bootstrap, one, bundles, last, swaps, rate)


async def _load(
    bootstrap: str, one: Worker, bundles: Sequence[Path], last: ModelEvent, swaps: int, rate: float
) -> dict[str, Any]:
    seen, over, rows = Seen(), asyncio.Event(), []
    async with reader_client(bootstrap, PREDICTIONS_OUT, PRODUCTS_DLQ, from_start=True) as reader:
        following = asyncio.create_task(seen.follow(reader))
        load = asyncio.create_task(
            publish_steadily(
                bootstrap, Events("swaps", PARTITIONS).event, rate, enough=lambda _: over.is_set(), sent=seen.note
            )
        )
        calm = monotonic()
        await asyncio.sleep(_CALM_S)
        began = monotonic()
        for number in range(1, swaps + 1):
            last, took_s = await _swap(bootstrap, seen, bundles[number % 2], last)
            rows.append({"swap": number, "s": round(took_s, 2), "rss_mb": round(one.rss_mb(), 1)})
            print(json.dumps(rows[-1]), flush=True)
        ended = monotonic()
        over.set()
        count, until = await load, monotonic() + _STRAGGLERS_S
        while len(seen.answered) + seen.dead < count and monotonic() < until:
            await asyncio.sleep(_POLL_S)
        following.cancel()
    after = [row["rss_mb"] for row in rows[_SETTLED:]] or [rows[-1]["rss_mb"]]
    return {
        "events": count,
        "lost": count - len(seen.answered) - seen.dead,
        "dead_letters": seen.dead,
        "answers": len(seen.answers),
        "decisions": swaps,
        "changes_of_the_version_that_answers": _changes(seen.answers),
        "calm": seen.percentiles(calm + _CALM_S / 2, began),
        "swapping": seen.percentiles(began, ended),
        "swap_s": {share: float(np.percentile([row["s"] for row in rows], share)) for share in (50, 100)},
        "rss_mb_after_10": rows[min(_SETTLED, len(rows)) - 1]["rss_mb"],
        "rss_mb_most_afterwards": max(after),
        "rss_mb_at_the_end": rows[-1]["rss_mb"],
    }


async def _swap(bootstrap: str, seen: Seen, bundle: Path, last: ModelEvent) -> tuple[ModelEvent, float]:
    """Decide for a bundle; the decision, and the seconds until its first answer."""

    def following(standing: Standing) -> ModelEvent:
        return promotion(bundle, standing.champion or last, by="bench", why=f"at {datetime.now(UTC):%H:%M:%S}")

    stands = (await decide(bootstrap, following)).champion
    assert stands is not None
    began, place = monotonic(), len(seen.answers)
    async with asyncio.timeout(_SWAP_S):
        while not any(version == bundle.name for _, _, version, _ in seen.answers[place:]):
            await asyncio.sleep(_POLL_S)
    return stands, monotonic() - began


def _changes(answers: Sequence[tuple[float, float, str, str]]) -> int:
    """How often the version changes from one classification to the next.

    There is one worker, and each decision waits for the one before: more changes than decisions would be answers by a
    model of the past.
    """
    versions = [version for *_, version, _ in sorted(answers, key=lambda answer: answer[3])]
    return sum(former != later for former, later in pairwise(versions))


def copied(bundle: Path, target: Path) -> Path:
    """The same model under another version."""
    path = shutil.copytree(bundle, target) / "manifest.json"
    manifest = orjson.loads(path.read_bytes()) | {"version": target.name}
    path.chmod(0o644)
    path.write_bytes(orjson.dumps(manifest))
    return target
