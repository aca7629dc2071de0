"""What there is to know of a running aisle; each part says for itself that it cannot be had."""

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from schemas.errors import AisleError

if TYPE_CHECKING:
    from infra.kafka.lag import Offsets
    from infra.local.targets import Target
    from infra.settings import Settings
    from infra.store import Store
    from workers.monitor.checks import Kind

T = TypeVar("T")

WINDOW_S: Final = 60
_ASK_S: Final = 2.0
_STORE_S: Final = 4.0
_KINDS: Final[tuple["Kind", ...]] = ("drift", "accuracy", "canary", "swap")
_FIGURES: Final[dict["Kind", dict[str, str]]] = {
    "drift": {"share": "drift_share"},
    "accuracy": {name: name for name in ("verdicts", "accuracy", "weighed_accuracy", "weighted_f1")},
    "canary": {"sent": "canaries_sent", "right": "canaries_right"},
    "swap": {},
}


@dataclass(frozen=True, slots=True)
class Behind:
    """How many records of a topic a group has not done; None where it has committed nothing."""

    group: str
    topic: str
    records: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """What comes and goes.

    Args:
        rates: By topic, records a second of the last minute, by their own times.
        lags: Of each group and topic.
    """

    rates: dict[str, float]
    lags: list[Behind]


@dataclass(frozen=True, slots=True)
class Model:
    """The decision in force; ``untold`` says why only the pointer file has it."""

    version: str | None
    decided_at: datetime | None
    by: str | None
    challenger: str | None
    untold: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What the monitor found last: figures by name, and by kind what is wrong."""

    figures: dict[str, float]
    checked_at: dict[str, datetime]
    alerts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Process:
    """A worker of ``aisle up``: ready, or what it waits for or why it is not asked."""

    name: str
    address: str
    ready: bool
    causes: dict[str, str]
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class Status:
    """All of it; a part that is away is None, and ``away`` says why."""

    at: datetime
    stream: Stream | None
    model: Model | None
    found: Found | None
    processes: list[Process]
    away: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


async def read_status(settings: "Settings") -> Status:
    """Ask everybody at once."""
    from infra.lease import utc_now

    away: dict[str, str] = {}

    async def part(name: str, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except AisleError as error:
            away[name] = error.message
        except TimeoutError:
            away[name] = "It did not answer in time."
        return None

    stream, model, found, processes = await asyncio.gather(
        part("broker", _stream(settings)),
        part("model", _model(settings)),
        part("store", _found(settings)),
        _processes(settings),
    )
    return Status(utc_now(), stream, model, found, processes, away)


async def _stream(settings: "Settings") -> Stream:
    from infra.endpoints import find_kafka
    from infra.kafka.lag import read_offsets

    offsets = await read_offsets(find_kafka(settings), int((time.time() - WINDOW_S) * 1_000))
    return Stream(rates_of(offsets), lags_of(offsets))


def rates_of(offsets: "Offsets") -> dict[str, float]:
    """By topic, records a second of the window."""
    sums: dict[str, int] = {}
    for place, end in offsets.ends.items():
        sums[place.topic] = sums.get(place.topic, 0) + end - offsets.before[place]
    return {topic: max(0, count) / WINDOW_S for topic, count in sums.items()}


def lags_of(offsets: "Offsets") -> list[Behind]:
    """Of each group and topic."""
    found: dict[tuple[str, str], list[int]] = {}
    for group, of in offsets.lags.items():
        for place, lag in of.items():
            found.setdefault((group, place.topic), []).extend([] if lag is None else [lag])
    return [Behind(group, topic, sum(lags) if lags else None) for (group, topic), lags in found.items()]


async def _model(settings: "Settings") -> Model:
    from workers.promotion import looked_up

    known = await looked_up(settings, _STORE_S)
    tried = known.challenger.model.version if known.challenger else None
    if (event := known.event) is None:
        return Model(None, None, None, tried, known.untold)
    return Model(event.model.version, event.at, event.by, tried, known.untold)


async def _found(settings: "Settings") -> Found:
    from infra.endpoints import find_mongodb
    from infra.store import Store

    store = Store(find_mongodb(settings), settings.mongodb_database)
    try:
        async with asyncio.timeout(_STORE_S):
            return await _checks(store)
    finally:
        store.close()


async def _checks(store: "Store") -> Found:
    from workers.monitor.checks import Checks

    checks = Checks(store)
    found = Found({}, {}, {})
    for kind in _KINDS:
        if (last := await checks.last(kind)) is None:
            continue
        found.checked_at[kind] = last["at"]
        found.alerts.update({f"{kind}: {cause}": why for cause, why in last["causes"].items()})
        found.figures.update(
            {name: last[field] for field, name in _FIGURES[kind].items() if last.get(field) is not None}
        )
    return found


async def _processes(settings: "Settings") -> list[Process]:
    from infra.local.targets import read_targets

    return list(await asyncio.gather(*(asyncio.to_thread(_asked, one) for one in read_targets(settings.data_dir))))


def _asked(target: "Target") -> Process:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(target.address, timeout=_ASK_S)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        said = json.loads(answer.read())
        return Process(
            target.name, target.address, answer.status == 200, said.get("causes", {}), said.get("details", {})
        )
    except (OSError, HTTPException, ValueError, AttributeError):  # another program may have the port by now
        return Process(target.name, target.address, ready=False, causes={"process": "does not answer"}, details={})
    finally:
        connection.close()
