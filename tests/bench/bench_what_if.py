"""What-if beside a live stream: whether its figures are those of the rows, and what it costs the stream.

Products of known categories are answered by the model in service, then by another that learned from fewer rows, in
``aisle replay --model``. Each figure of ``aisle replay compare`` is computed again here, from the items in the store,
the answers of ``aisle classify`` with the other model, and the products' own categories. Meanwhile events come at a
steady rate, by turns with and without such a replay beside them.
"""

import argparse
import asyncio
import csv
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from subprocess import PIPE, STDOUT
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import orjson
from pymongo import MongoClient
from scipy.stats import binom

from infra.kafka.producer import OutRecord
from infra.process import module
from infra.store import ITEMS
from model.bundle import read_manifest
from model.data.dataset import iter_products
from schemas.headers import EVENT_ID
from schemas.topics import PRODUCTS_IN
from tests.bench.load import OPEN_FOOD_FACTS, Events, preload
from tests.bench.standing import standing
from tests.bench.stream_latency import Load, latencies
from tests.integration.road import Road, environment, eventually

_Times = np.ndarray[Any, Any]
_FEWER_ROWS: Final = 2_000
_NEAR: Final = 1e-6
_LOOK_S: Final = 5.0  # a look counts all items, which costs the embedded store more than many writes


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench what-if", description=__doc__, allow_abbrev=False)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200, help="live events a second")
    parser.add_argument("--seconds", type=float, default=20, help="of each turn")
    parser.add_argument("--turns", type=int, default=4, help="with and without the replay")
    options = parser.parse_args(arguments)
    with standing("--no-learning", "--no-gateway") as road, TemporaryDirectory(prefix="aisle-what-if-") as folder:
        print(json.dumps(asyncio.run(_measure(road, Path(folder), options)), indent=1))


async def _measure(road: Road, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    events = Events("what-if", road.settings.topic_partitions)
    other = _other_model(road, folder)
    await preload(road.kafka, events, options.events)
    ids = [_id(record) for record in events.first(options.events)]
    await eventually(lambda: _have(road, len(ids), "prediction"), 300, _LOOK_S)
    replay = _aisle(road, "replay", "--topic", PRODUCTS_IN, "--model", other, "--json")
    await latencies(road.kafka, Load(0, options.rate, options.seconds))  # the first turn would pay for what it warms
    alone, beside = await _turns(road, other, Load(0, options.rate, options.seconds), options.turns)
    # Not before: what people have judged is not asked of a model again, and then a live stream costs less.
    truth = _judge(road, folder, ids)
    await eventually(lambda: _have(road, len(truth), "verdict"), 600, _LOOK_S)
    told = _aisle(road, "replay", "compare", replay["replay"], "--out", str(folder), "--json")
    items = await asyncio.to_thread(road.items, ids)
    before = [items[key]["prediction"] for key in ids]
    after = await asyncio.to_thread(_classified, road, folder, events.first(options.events), other)
    return {
        "events": replay["events"],
        "differences": _differences(before, after, [truth.get(key) for key in ids], told),
        "agreement": told["agreement"],
        "judged": told["judged"],
        "live_p50_ms": [[round(_quantile([one], 0.5), 1) for one in some] for some in (alone, beside)],
        "live_p99_ms": [[round(_quantile([one], 0.99), 1) for one in some] for some in (alone, beside)],
        "p99_beside_to_alone": round(_quantile(beside, 0.99) / _quantile(alone, 0.99), 2),
    }


async def _turns(road: Road, version: str, load: Load, turns: int) -> tuple[list[_Times], list[_Times]]:
    """The live stream's latencies alone, and with what-ifs beside it; which is first changes from turn to turn."""
    alone, beside = list[_Times](), list[_Times]()
    for turn in range(turns):
        for with_replay in (False, True) if turn % 2 == 0 else (True, False):
            with _beside(road, version) if with_replay else nullcontext():
                times, _ = await latencies(road.kafka, load)
                (beside if with_replay else alone).append(times)
    return alone, beside


def _quantile(times: list[_Times], share: float) -> float:
    return float(np.quantile(np.hstack(times), share))


def _id(record: OutRecord) -> str:
    return next(value for name, value in record.headers if name == EVENT_ID and value).decode()


def _aisle(road: Road, *arguments: str) -> dict[str, Any]:
    done = road.aisle(*arguments)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = orjson.loads(done.stdout)
    return told


def _other_model(road: Road, folder: Path) -> str:
    """The version of a model that learned from fewer rows."""
    models = road.settings.data_dir / "models"
    before = {path.name for path in models.glob("2*")}
    with OPEN_FOOD_FACTS.open(encoding="utf-8", newline="") as source, (folder / "fewer.csv").open("w") as target:
        csv.writer(target).writerows(islice(csv.reader(source), _FEWER_ROWS))
    trained = road.aisle("train", str(folder / "fewer.csv"), "--theme-column", "category_group", "--no-promote")
    assert trained.returncode == 0, trained.stderr
    (made,) = {path.name for path in models.glob("2*")} - before
    return made


def _judge(road: Road, folder: Path, ids: Sequence[str]) -> dict[str, str]:
    """Say of each event which category its data gives it, where a model knows that; codes by event."""
    models = road.settings.data_dir / "models"
    known = (one for path in models.glob("2*") for one in read_manifest(path).categories)
    code = {label: one.code for one in known for label in one.labels.values()}
    labels = [row.category for row in iter_products(OPEN_FOOD_FACTS)]
    truth = {key: code[label] for number, key in enumerate(ids) if (label := labels[number % len(labels)]) in code}
    file = folder / "verdicts.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([("event_id", "code"), *truth.items()])
    done = road.aisle("feedback", "import", str(file), "--by", "bench")
    assert done.returncode == 0, done.stderr
    return truth


async def _have(road: Road, count: int, part: str) -> bool:
    """Whether as many items have a prediction, or a verdict."""

    def counted() -> int:
        with MongoClient[dict[str, Any]](road.mongodb) as client:
            return client[road.settings.mongodb_database][ITEMS].count_documents({part: {"$exists": True}})

    return await asyncio.to_thread(counted) >= count


def _differences(
    before: list[dict[str, Any]], after: list[dict[str, Any]], truth: list[str | None], told: dict[str, Any]
) -> list[str]:
    """Figures that are not what the rows give."""
    codes = ([one["category"]["code"] for one in some] for some in (before, after))
    pairs = list(zip(*codes, truth, strict=True))
    judged = [(a == code, b == code) for a, b, code in pairs if code is not None]
    only = [judged.count(one) for one in ((True, False), (False, True))]
    tail = binom.cdf(min(only), sum(only), 0.5)
    flows = Counter((a, b) for a, b, _ in pairs if a != b)
    expected = {
        "products": len(pairs),
        "agreement": sum(a == b for a, b, _ in pairs) / len(pairs),
        "sure": np.mean([one["confidence"] for one in before]),
        "after_sure": np.mean([one["confidence"] for one in after]),
        "judged.products": len(judged),
        "judged.champion_accuracy": np.mean([one for one, _ in judged]),
        "judged.challenger_accuracy": np.mean([one for _, one in judged]),
        "judged.champion_only": only[0],
        "judged.challenger_only": only[1],
        "judged.p": min(1.0, 2 * float(tail)),
    }
    found = told | {f"judged.{name}": value for name, value in told["judged"].items()}
    wrong = [
        f"{name}: {found[name]}, by the rows {value}"
        for name, value in expected.items()
        if abs(found[name] - value) > _NEAR
    ]
    shown = {(flow["before"], flow["after"]): flow["products"] for flow in told["flows"]}
    return wrong if shown == flows else [*wrong, "the flows between categories"]


def _classified(road: Road, folder: Path, records: Sequence[OutRecord], version: str) -> list[dict[str, Any]]:
    """What ``aisle classify`` answers with a model."""
    bundle = road.settings.data_dir / "models" / version
    lines = folder / "products.jsonl"
    lines.write_bytes(b"".join((record.value or b"") + b"\n" for record in records))
    with lines.open("rb") as source:
        done = subprocess.run(
            module("scripts", "classify", "--model", str(bundle)),
            stdin=source,
            capture_output=True,
            env=environment(road.settings),
            check=True,
        )
    return [orjson.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def _beside(road: Road, version: str) -> Iterator[None]:
    """One what-if after another, as long as the context lasts."""
    over = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def go_on() -> None:
        while not over.is_set():
            command = module("scripts", "replay", "--topic", PRODUCTS_IN, "--model", version)
            running[:] = [subprocess.Popen(command, env=environment(road.settings), stdout=PIPE, stderr=STDOUT)]
            running[0].communicate()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        running[0].terminate()
        thread.join()
