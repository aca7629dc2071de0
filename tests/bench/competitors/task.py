"""What every measured program is told, how it counts, and what it prints at its end."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import psutil

from infra.lifeline import watch_lifeline

Mode = Literal["intake", "answers", "classify"]
MODES: Final[tuple[Mode, ...]] = ("intake", "answers", "classify")

BATCH_EVENTS: Final = 500
"""Batch size of the competitors that ask for one; larger ones gain none of them more than a tenth."""
COMMIT_EVERY_S: Final = 1.0
SEND_BATCH_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Task:
    """One measurement.

    Args:
        mode: ``intake`` reads and commits; ``answers`` validates each event and publishes an answer without a model;
            ``classify`` asks the model.
        bootstrap: ``host:port`` of the broker.
        group: Consumer group, which nobody used before.
        backlog: Events that wait in products.in.
        seconds: How long to measure.
        warmup_s: How long to work before that.
        broker_pid: The broker's process, whose CPU seconds are counted too.
        bundle: The model; needed by ``classify``.
        variant: Which of several forms, where a program has them.
    """

    mode: Mode
    bootstrap: str
    group: str
    backlog: int
    seconds: float
    warmup_s: float
    broker_pid: int
    bundle: Path | None
    variant: str

    def arguments(self) -> list[str]:
        """The command line that ``read_task`` reads."""
        given = {name.replace("_", "-"): value for name, value in vars(self).items() if value not in (None, "")}
        return [f"--{name}={value}" for name, value in given.items()]


def read_task() -> Task:
    """The task on the command line; the process ends with its parent from now on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=MODES, default="classify")
    for name in ("--bootstrap", "--group", "--variant"):
        parser.add_argument(name, default="")
    for name in ("--backlog", "--broker-pid"):
        parser.add_argument(name, type=int, default=0)
    for name in ("--seconds", "--warmup-s"):
        parser.add_argument(name, type=float, default=1.0)
    parser.add_argument("--bundle", type=Path)
    watch_lifeline(deadline_s=1)
    return Task(**vars(parser.parse_args()))


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    events: int
    cpu_s: float
    broker_cpu_s: float
    parts: Mapping[str, float]


class Stopwatch:
    """Counts events that are done and takes the time, after a warm-up.

    Args:
        task: How long, and of what.
        parts: CPU seconds so far of each part that the program can tell apart.
    """

    def __init__(self, task: Task, parts: Callable[[], Mapping[str, float]] = dict) -> None:
        self._task = task
        self._parts = parts
        self._broker = psutil.Process(task.broker_pid) if task.broker_pid else None
        self._first_at: float | None = None
        self._begin: _Moment | None = None
        self._warm = False
        self._end: _Moment | None = None
        self.events = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing left to measure."""
        return self._end is not None

    def add(self, events: int, *, in_flight: bool = False) -> bool:
        """Note events as done; whether the measurement is over.

        Args:
            events: How many more.
            in_flight: Deliveries are still awaited: ``finish`` is called when they are confirmed.
        """
        self.events += events
        now = time.perf_counter()
        if self._begin is None:
            self._first_at, self._begin = now, self._moment()
        elif not self._warm and now - self._first_at >= self._task.warmup_s:  # type: ignore[operator] # set with _begin
            self._begin, self._warm = self._moment(), True
        done = (self._warm and now - self._begin.at >= self._task.seconds) or self.events >= self._task.backlog
        if done and not in_flight:
            self.finish()
        return done

    def finish(self) -> None:
        """All is delivered: take the end time."""
        if self._end is None:
            self._end = self._moment()

    def report(self) -> dict[str, Any]:
        """Events, events a second, and CPU microseconds an event."""
        begin, end = self._begin, self._end
        assert begin is not None
        assert end is not None
        events, seconds = end.events - begin.events, end.at - begin.at
        parts = {name: (end.parts[name] - begin.parts.get(name, 0.0)) for name in end.parts}
        return {
            "events": events,
            "seconds": seconds,
            "rate": events / seconds,
            "cpu_us": 1e6 * (end.cpu_s - begin.cpu_s) / events,
            "broker_us": 1e6 * (end.broker_cpu_s - begin.broker_cpu_s) / events,
            "parts_us": {name: 1e6 * value / events for name, value in parts.items()},
        }

    def _moment(self) -> _Moment:
        broker = self._broker.cpu_times() if self._broker else None
        return _Moment(
            time.perf_counter(),
            self.events,
            time.process_time(),
            broker.user + broker.system if broker else 0.0,
            dict(self._parts()),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """A record in the fields of aiokafka's, for frameworks that have another form of it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]
    key: bytes | None
    value: bytes | None


def tell(report: Mapping[str, Any]) -> None:
    """Print the report as the last line and end at once: no client's farewell is measured or waited for."""
    print(json.dumps(report), flush=True)
    sys.stderr.flush()
    os._exit(0)


def use_uvloop() -> None:
    """What aisle's workers use; all asyncio programs get it."""
    import asyncio

    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
