"""From corrections to a better model, while products go on being answered: ``python -m tests.bench learning``.

A whole aisle is started as a user does. A plain Kafka client corrects one recurring mistake; nobody does anything else.
Counted from outside: when the trigger fired, when the new model answered first, what it makes of products of that kind
that nobody has seen, and how long the answers to a steady stream took before and meanwhile.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import orjson
from pymongo import MongoClient

from infra.kafka.clients import producer_client, reader_client
from infra.kafka.producer import OutRecord
from infra.settings import Settings
from schemas.headers import EVENT_ID
from schemas.prediction import REVIEWER
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from tests.bench.bench_swaps import Seen
from tests.bench.broker import PARTITIONS
from tests.bench.load import OPEN_FOOD_FACTS, Events, publish_steadily
from tests.integration.road import Road

_CALM_S: Final = 20.0
_WHOLE_S: Final = 600.0
_STRAGGLERS_S: Final = 60.0
_POLL_S: Final = 0.1

_WHAT: Final = ("Kombucha", "Kéfir de fruits", "Boisson fermentée", "Kombucha artisanal", "Thé fermenté kombucha")
_TASTE: Final = ("gingembre", "citron", "hibiscus", "framboise", "menthe", "original", "passion", "curcuma", "pomme")
_MAKER: Final = (
    "Jubiles",
    "Vitabio",
    "Karma",
    "Captain",
    "La Fabrique",
    "Bionoé",
    "Lõv",
    "Mama",
    "Atelier",
    "Symbiose",
)
_SIZE: Final = ("33 cl", "75 cl", "1 L", "250 ml", "pack de 6", "bouteille verre", "50 cl", "lot de 2")
_MORE: Final = ("bio", "sans sucre", "pétillant", "cru non pasteurisé", "artisanal", "équitable", "nature", "local")


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench learning", description=__doc__, allow_abbrev=False)
    parser.add_argument("--corrections", type=int, default=300)
    parser.add_argument("--unseen", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50, help="events a second, meanwhile")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="aisle-learning-") as folder:
        print(json.dumps(_measure(Path(folder), options), indent=1))


def titles(count: int, seed: int) -> list[str]:
    """Titles of one kind of product, all different."""
    chance, found = random.Random(seed), dict[str, None]()
    while len(found) < count:
        parts = [chance.choice(some) for some in (_WHAT, _TASTE, _MAKER, _SIZE)]
        found[" ".join([*parts, *chance.sample(_MORE, chance.randrange(3))])] = None
    return list(found)


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(_env_file=None, data_dir=folder / "data")
    road = Road(settings, folder / "up.log")
    trained = road.aisle("train", str(OPEN_FOOD_FACTS), "--theme-column", "category_group", "--name", "starter")
    assert trained.returncode == 0, trained.stderr
    print(trained.stdout)
    road.start(180)
    try:
        figures = asyncio.run(_learn(road, options))
        for said in (("status",), ("runs",), ("show", "1")):
            print(road.aisle("retrain", *said).stdout)
        return figures
    finally:
        road.stop()


async def _learn(road: Road, options: argparse.Namespace) -> dict[str, Any]:
    seen, over, answers = Answers(), asyncio.Event(), PREDICTIONS_OUT
    kind = titles(2 * options.corrections + options.unseen, options.seed)
    async with reader_client(road.kafka, answers, PRODUCTS_DLQ, from_start=True) as reader:
        following = asyncio.create_task(seen.follow(reader))
        events = Events(f"learning-{uuid4()}", PARTITIONS)
        load = asyncio.create_task(
            publish_steadily(road.kafka, events.event, options.rate, enough=lambda _: over.is_set(), sent=seen.note)
        )
        await asyncio.sleep(_CALM_S / 2)
        asked = await _ask(road.kafka, seen, kind[: -options.unseen])
        wrong = Counter(seen.codes[one] for one in asked).most_common(1)[0][0]
        right = _another(seen, wrong)
        before = [one for one in asked if seen.codes[one] != right][: options.corrections]
        calm = monotonic()
        await asyncio.sleep(_CALM_S)
        began = monotonic()
        await _correct(road.kafka, before, right)
        run = await _ended(road, began)
        answered = await _first_answer(seen, run["version"]) if run["state"] == "promoted" else None
        after = await _ask(road.kafka, seen, kind[-options.unseen :])
        over.set()
        count, until = await load, monotonic() + _STRAGGLERS_S
        everything = count + len(asked) + len(after)
        while len(seen.answered) + seen.dead < everything and monotonic() < until:
            await asyncio.sleep(_POLL_S)
        following.cancel()
    return {
        "mistake": f"{wrong} instead of {right}",
        "corrections": len(before),
        "of_the_kind": len(asked),
        "right_before": sum(seen.codes[one] == right for one in asked),
        "state": run["state"],
        "outcome": run["outcome"],
        "why": run["why"],
        "training_to_decision_s": (run["ended_at"] - run["started_at"]).total_seconds(),
        "first_answer_s": None if answered is None else answered - began,
        "unseen": len(after),
        "unseen_right": sum(seen.codes[one] == right for one in after),
        "events": everything,
        "lost": everything - len(seen.answered) - seen.dead,
        "twice": len(seen.answers) - len(seen.answered),
        "calm": seen.percentiles(calm, began),
        "meanwhile": seen.percentiles(began, answered or monotonic()),
        "log": [line["said"] for line in run["log"]],
    }


class Answers(Seen):
    """What readers see, with the category of each event and when each version answered first."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[bytes, str] = {}
        self.first: dict[str, float] = {}

    def take(self, identity: bytes, answer: dict[str, Any], at: float) -> None:
        """An answer came; those that tell what a person said are not the model's."""
        if answer["decided_by"] == REVIEWER:
            return
        super().take(identity, answer, at)
        self.codes[identity] = answer["category"]["code"]
        self.first.setdefault(answer["model"]["version"], at)


async def _ask(bootstrap: str, seen: Answers, texts: Sequence[str]) -> list[bytes]:
    """Publish products; their event ids, once all are answered."""
    ids = [str(uuid4()).encode() for _ in texts]
    async with producer_client(bootstrap) as producer:
        for identity, text in zip(ids, texts, strict=True):
            value = orjson.dumps({"product_id": f"kind-{identity.decode()}", "title": text})
            row = OutRecord(0, identity, value, [(EVENT_ID, identity)])
            seen.note(row)
            await producer.send(PRODUCTS_IN, row.value, key=row.key, headers=list(row.headers))
        await producer.flush()
    async with asyncio.timeout(_STRAGGLERS_S):
        while not seen.answered.issuperset(ids):
            await asyncio.sleep(_POLL_S)
    return ids


def _another(seen: Answers, wrong: str) -> str:
    """The category that the kind belongs to, as people have it: the most frequent other one."""
    return next(code for code, _ in Counter(seen.codes.values()).most_common() if code != wrong)


async def _correct(bootstrap: str, ids: Sequence[bytes], code: str) -> None:
    async with producer_client(bootstrap) as producer:
        for identity in ids:
            said = {"event_id": identity.decode(), "verdict": "corrected", "code": code, "by": "bench"}
            await producer.send(FEEDBACK, orjson.dumps(said), key=identity)
        await producer.flush()


async def _ended(road: Road, began: float) -> dict[str, Any]:
    """The run, once it has ended."""
    with MongoClient[dict[str, Any]](road.mongodb, tz_aware=True) as client:
        runs = client[road.settings.mongodb_database]["runs"]
        said = ""
        while monotonic() < began + _WHOLE_S:
            run = await asyncio.to_thread(runs.find_one, {})
            if run is not None and run["ended_at"] is not None:
                return run
            now = f"{run['step']}" if run else "waiting for the trigger"
            if now != said:
                print(f"[{monotonic() - began:5.1f} s] {now}", flush=True)
                said = now
            await asyncio.sleep(_POLL_S * 5)
    raise TimeoutError("no run ended: " + road.log.read_text()[-3_000:])


async def _first_answer(seen: Answers, version: str) -> float:
    async with asyncio.timeout(_STRAGGLERS_S):
        while version not in seen.first:
            await asyncio.sleep(_POLL_S)
    return seen.first[version]
