"""A wall clock that jumps, as at a correction or a change of the machine, moves no wait and no budget."""

import ast
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from infra.errors import StoreUnavailable
from infra.store import Store
from schemas.topics import PRODUCTS_IN
from streams.archive import ArchiveStage
from streams.commit import Progress, run_stage
from tests.records import record
from tests.unit.test_commit import FakeStream

ROOT = Path(__file__).parents[2]
HOUR_S = 3_600
WALL_CLOCK = {"time", "time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
# Who may read the wall clock: each says when something happened, and none waits by it.
STAMPS = {
    "infra/local/docstore_file.py",  # the name of a file put aside, and a line of its log
    "infra/certificates.py",  # from when on a certificate is good
    "infra/lease.py",  # until when a lease is held, which other machines read
    "infra/metrics/answers.py",  # since when a model answers
    "infra/local/jars.py",  # the age of a file, which the file system tells by the wall clock
    "infra/settings_learning.py",  # a cron expression is tried on the present
    "infra/webhook.py",  # when a message was signed
    "streams/classify.py",  # classified_at
    "streams/replay/checkpoint.py",  # the age of a file
    "streams/replay/file.py",  # ce_time
    "infra/retry.py",  # a record's age, against the retention of its topic
    "streams/shadow.py",  # a record's age
    "streams/verdicts.py",  # known_at
    "workers/gateway/accounts/addresses.py",  # the library that counts tells by it when others may try again
    "workers/gateway/bulk/folder.py",  # the age of a folder
    "workers/gateway/audit.py",  # when something was done
    "workers/retrain/sweep.py",  # the age of a folder
    "workers/retrain/training_set.py",  # when a set was made
}


def test_nothing_waits_by_the_wall_clock() -> None:
    """Waits, budgets and liveness use the monotonic clock; who stamps something with the time is listed above."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("infra", "streams", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if any(_reads_wall_clock(node) for node in ast.walk(ast.parse(path.read_text())))
    }
    assert set() == found - STAMPS


async def test_a_jumping_clock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back and forth at each look, while the store comes and goes: all is written, once, as it came."""
    jumps = _jumping(time.time)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    store = Store("mongodb://127.0.0.1:9", "test")
    written: list[Any] = []
    away = cycle([True, True, False])

    async def upsert(_collection: str, operations: list[Any]) -> None:
        if next(away):
            raise StoreUnavailable("as planned")
        written.extend(operations)

    monkeypatch.setattr(store, "upsert", upsert)
    stage = ArchiveStage(store, Mock(), AsyncMock(), 30, Mock())
    monkeypatch.setattr(stage._verdicts, "parked", AsyncMock(return_value=[]))
    monkeypatch.setattr(stage._sieve, "changed", AsyncMock(return_value=False))
    at = 1_760_000_000_000
    batches = [
        [record(b'{"product_id": "p", "title": "t"}', topic=PRODUCTS_IN, offset=offset, timestamp_ms=at + offset)]
        for offset in range(3)
    ]
    log: list[str] = []
    progress = Progress()
    waited: list[float] = []

    class Stream(FakeStream):
        async def events(self) -> AsyncIterator[Any]:
            async for event in super().events():
                waited.append(progress.busy_s)
                yield event

    try:
        await run_stage(Stream(batches, log), stage, progress)
    finally:
        store.close()
    published = [operation._doc["$min"]["product"]["published_at"] for operation in written]
    assert [datetime.fromtimestamp(at / 1000 + offset / 1000, UTC) for offset in range(3)] == published
    assert (3, 3, 0.0) == (progress.events, len(log), progress.busy_s)
    assert max(waited) < HOUR_S


def _jumping(clock: Any) -> Iterator[float]:
    for jump in cycle((HOUR_S, -HOUR_S)):
        yield clock() + jump


def _reads_wall_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).replace("datetime.datetime", "datetime") in WALL_CLOCK
