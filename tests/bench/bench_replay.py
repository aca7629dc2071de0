"""Replays of a whole topic: ``python -m tests.bench replay``.

`aisle up` classifies and archives products. Then the topic is replayed into itself: once at full speed, which gives the
rate and the command's memory, and once killed at random and resumed. After each, when workers have caught up, the
collections of the store are hashed: they have to be the same, byte by byte.
"""

import argparse
import asyncio
import json
import random
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import psutil
from bson import BSON
from pymongo import MongoClient

from infra.kafka.lag import read_offsets
from infra.process import module
from schemas.topics import PRODUCTS_IN
from tests.bench.load import Events, preload
from tests.bench.standing import standing
from tests.integration.road import Road, environment, eventually

_BATCH: Final = 1_000
_GROUPS: Final = {"aisle-classify", "aisle-archive"}


def main(arguments: Sequence[str]) -> None:
    """Replay, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench replay", description=__doc__, allow_abbrev=False)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args(arguments)
    with standing("--no-learning", "--no-gateway") as road:
        print(json.dumps(asyncio.run(_measure(road, options)), indent=1))


async def _measure(road: Road, options: argparse.Namespace) -> dict[str, Any]:
    await preload(road.kafka, Events("replay", road.settings.topic_partitions), options.events)
    await _caught_up(road)
    hashes = [_hashes(road)]
    report, rss_mb = await asyncio.to_thread(_replay, road, "--topic", PRODUCTS_IN)
    await _caught_up(road)
    hashes.append(_hashes(road))
    chance = random.Random(options.seed)
    kills = await asyncio.to_thread(_killed, road, options.kills, report["seconds"], chance)
    await _caught_up(road)
    hashes.append(_hashes(road))
    return {
        "seed": options.seed,
        "events": report["events"],
        "events_per_s": round(report["events"] / report["seconds"]),
        "command_rss_mb_by_the_half_second": rss_mb,
        "kills": kills,
        "hashes": hashes[0],
        "same_after_a_replay": hashes[0] == hashes[1],
        "same_after_kills": hashes[0] == hashes[2],
    }


def _replay(road: Road, *arguments: str) -> tuple[dict[str, Any], list[int]]:
    """The command's report, and its memory over time."""
    running = _started(road, *arguments, "--json")
    memory = []
    while running.poll() is None:
        try:
            memory.append(round(psutil.Process(running.pid).memory_info().rss / 1e6))
            running.wait(0.5)
        except (subprocess.TimeoutExpired, psutil.NoSuchProcess):
            continue
    assert running.stdout is not None
    report: dict[str, Any] = json.loads(running.stdout.read())
    return report, memory[:: max(1, len(memory) // 20)]


def _killed(road: Road, kills: int, seconds: float, chance: random.Random) -> list[int]:
    """How many events were sent at each kill; the replay is ended by the last resumption."""
    arguments, sent = ["--topic", PRODUCTS_IN], list[int]()
    folder = road.settings.data_dir / "replays"
    former = set(folder.glob("*.json"))
    for _ in range(kills):
        running = _started(road, *arguments)
        began = monotonic()
        while not (mine := set(folder.glob("*.json")) - former) or _events(mine) <= max(sent, default=0):
            assert running.poll() is None
            assert monotonic() - began < 60
            sleep(0.05)
        sleep(chance.uniform(0, 0.5) * seconds / kills)
        assert running.poll() is None, "it had done all before it was killed"
        running.kill()
        running.wait()
        sent.append(_events(mine))
        arguments = ["--resume", next(iter(mine)).stem]
    _replay(road, *arguments)
    return sent


def _events(files: set[Path]) -> int:
    """How many events a replay's checkpoint counts; 0 while it is being written."""
    try:
        return int(json.loads(next(iter(files)).read_text())["events"])
    except ValueError:
        return 0


def _started(road: Road, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        module("scripts", "replay", *arguments),
        env=environment(road.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


async def _caught_up(road: Road) -> None:
    """Wait until every group has done all there is, and the store has it."""

    async def done() -> bool:
        lags = (await read_offsets(road.kafka)).lags
        ours = [lag for group in _GROUPS & set(lags) for lag in lags[group].values()]
        return len(lags.keys() & _GROUPS) == len(_GROUPS) and not any(ours)

    await eventually(done, 1_200, 2)


def _hashes(road: Road) -> dict[str, str]:
    """SHA-256 of each collection's documents in the order of their ids, with how many there are."""
    found = {}
    with MongoClient[dict[str, Any]](road.mongodb, tz_aware=True) as client:
        database = client[road.settings.mongodb_database]
        for name in sorted(database.list_collection_names()):
            digest, count = sha256(), 0
            for document in sorted(database[name].find(batch_size=_BATCH), key=lambda one: str(one["_id"])):
                digest.update(BSON.encode(document))
                count += 1
            found[name] = f"{digest.hexdigest()[:16]} of {count:,}"
    return found
