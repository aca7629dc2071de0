"""How large a set-up has to be for so many events a day: arithmetic on figures that were measured."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from infra import sizing_figures as figures
from schemas.topics import TOPICS

_DAY_S: Final = 86_400
_STEP: Final = 8  # partitions come in eights: what a default set-up has
_ROOM: Final = 2  # partitions for each worker at the peak: growing them ends the order per key, workers come and go
_READERS_IN: Final = 2  # of products.in: classify and archive
_READERS_OUT: Final = 2  # of predictions.out: archive and one consumer of yours, beside every gateway
_BASE64: Final = 4 / 3


@dataclass(frozen=True)
class Demand:
    """What is asked for.

    Args:
        events_per_day: Products a day.
        peak_factor: The busiest minute's rate, in multiples of the day's mean.
        photos: Share of the events whose photo the model looks at, 0 to 1.
        kept_days: How long topics and items are kept, in days.
        calls: Share of the events that come as predict calls over HTTP, 0 to 1.
    """

    events_per_day: int
    peak_factor: float = 3.0
    photos: float = 0.0
    kept_days: float = 30.0
    calls: float = 0.0


@dataclass(frozen=True)
class Part:
    """One kind of process: how many at the peak and at the mean rate, and cores and bytes of memory of each."""

    name: str
    replicas: int
    at_mean: int
    cores: float
    memory_bytes: float


@dataclass(frozen=True)
class Plan:
    """A set-up; bytes and rates without compression, cores and rates at the peak.

    Args:
        demand: What it is for.
        mean_per_s: Events a second over the day.
        peak_per_s: Events a second at the peak.
        parts: aisle's own processes.
        partitions: Of the topics that scale.
        brokers: Kafka brokers, three at least.
        broker_cores: All brokers' cores together.
        broker_bytes: Their disks together, all copies.
        broker_in_bytes_s: What producers and copies bring to them, bytes a second.
        broker_out_bytes_s: What copies and readers take from them, bytes a second.
        shards: MongoDB replica sets.
        store_bytes: The items of ``kept_days`` with their indexes, one copy.
        store_writes_s: Upserts a second.
        photo_bytes: Photos in the image store, if none comes twice.
        reviews_per_day: Answers that a person should look at.
        reviewers: People for that.
    """

    demand: Demand
    mean_per_s: float
    peak_per_s: float
    parts: tuple[Part, ...]
    partitions: int
    brokers: int
    broker_cores: float
    broker_bytes: float
    broker_in_bytes_s: float
    broker_out_bytes_s: float
    shards: int
    store_bytes: float
    store_writes_s: float
    photo_bytes: float
    reviews_per_day: float
    reviewers: int

    @property
    def cores(self) -> float:
        """Cores of all of aisle's processes."""
        return sum(part.replicas * part.cores for part in self.parts)

    @property
    def memory_bytes(self) -> float:
        """Memory of all of aisle's processes."""
        return sum(part.replicas * part.memory_bytes for part in self.parts)


def plan(demand: Demand) -> Plan:
    """The smallest set-up that carries the demand by the figures of ``sizing_figures``."""
    mean = demand.events_per_day / _DAY_S
    peak = mean * demand.peak_factor
    parts = _parts(demand, mean, peak)
    classify, archive, gateways = (parts[place].replicas for place in range(3))
    partitions = _STEP * ceil(max(_ROOM * classify, archive, _STEP) / _STEP)
    product = figures.PRODUCT_BYTES.value + demand.photos * _BASE64 * figures.PHOTO_BYTES.value
    answer, copies = figures.PREDICTION_BYTES.value, figures.COPIES.value
    kept = demand.events_per_day * demand.kept_days
    disk = kept * (product + answer) * copies
    replicas = partitions * sum(topic.partitions is None for topic in TOPICS) * copies
    store = kept * (figures.ITEM_BYTES.value + figures.INDEX_BYTES.value)
    writes = 2 * peak  # a product and a prediction; those of one event that come in one batch are one
    reviews = demand.events_per_day * figures.REVIEW_SHARE.value
    return Plan(
        demand=demand,
        mean_per_s=mean,
        peak_per_s=peak,
        parts=parts,
        partitions=partitions,
        brokers=max(3, ceil(disk / figures.BROKER_BYTES.value), ceil(replicas / figures.BROKER_REPLICAS.value)),
        broker_cores=peak * figures.BROKER_US.value * copies / 1e6 / figures.LOAD.value,
        broker_bytes=disk,
        broker_in_bytes_s=peak * (product + answer) * copies,
        broker_out_bytes_s=peak
        * (product * (copies - 1 + _READERS_IN) + answer * (copies - 1 + _READERS_OUT + gateways)),
        shards=max(1, ceil(writes / figures.SHARD_WRITES.value), ceil(store / figures.SHARD_BYTES.value)),
        store_bytes=store,
        store_writes_s=writes,
        photo_bytes=kept * demand.photos * figures.PHOTO_BYTES.value,
        reviews_per_day=reviews,
        reviewers=ceil(reviews / figures.JUDGED.value),
    )


def _parts(demand: Demand, mean: float, peak: float) -> tuple[Part, ...]:
    """The processes, classify, archive and gateway first; one of each at least."""
    seconds = 1 / figures.CLASSIFY_RATE.value + demand.photos / figures.PHOTO_RATE.value  # of a worker, an event
    calls = demand.calls / figures.GATEWAY_RATE.value
    model = figures.PHOTOS_MB if demand.photos else figures.CLASSIFY_MB

    def part(name: str, busy_s: float, cores: float, megabytes: float) -> Part:
        at_peak, at_mean = (max(1, ceil(rate * busy_s / figures.LOAD.value)) for rate in (peak, mean))
        return Part(name, at_peak, at_mean, cores, megabytes * 1e6)

    return (
        part("classify", seconds, 2, model.value + figures.VERDICTS_MB.value),
        part("archive", figures.ARCHIVE_US.value / 1e6, 1, figures.ARCHIVE_MB.value),
        part("gateway", calls, 1, figures.GATEWAY_MB.value),
        part("retrain", 0, 2, figures.TRAINING_MB.value),
        part("monitor", 0, 1, figures.MONITOR_MB.value),
    )
