"""What stands in the way of a plan: limits that more of the same does not move, each with the figure of its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from infra import sizing_figures as figures
from infra.settings import Settings
from infra.sizing import Plan

_YEAR_DAYS: Final = 365


@dataclass(frozen=True)
class Limit:
    """One limit.

    Args:
        code: Its short name.
        why: What ends there, and what to do.
    """

    code: str
    why: str


def limits_of(plan: Plan) -> list[Limit]:
    """The limits that a plan goes beyond: people first, then the store, the workers, the topics, the photos."""
    return [Limit(code, why) for code, used, most, why in _uses(plan) if used > most]


def _uses(plan: Plan) -> Iterator[tuple[str, float, float, str]]:
    """Each limit's name, what the plan has, the most that it may have, and what to do beyond."""
    members = max(part.replicas for part in plan.parts[:2])  # classify and archive are a group each
    verdicts = min(plan.reviews_per_day, figures.PEOPLE.value * figures.JUDGED.value) * _YEAR_DAYS
    photos = plan.photo_bytes / figures.PHOTO_BYTES.value
    yield (
        "reviewers",
        plan.reviewers,
        figures.PEOPLE.value,
        f"{plan.reviews_per_day:,.0f} answers a day ask for a person: {plan.reviewers:,} people. The queue gives "
        "the least sure first; the rest stays as the model has it. Raise the thresholds, or label a sample.",
    )
    yield (
        "store",
        plan.shards,
        1,
        f"{plan.store_writes_s:,.0f} writes a second and {shown_bytes(plan.store_bytes)} are more than one replica set "
        f"is taken to carry: shard items by hashed _id ({plan.shards:,} shards), or keep fewer days. Queries by "
        "product or for review then ask all shards.",
    )
    yield (
        "verdicts-at-start",
        verdicts / figures.READ_RATE.value,
        figures.START_S.value,
        f"every worker reads all verdicts before it is ready: {verdicts:,.0f} after a year, "
        f"{verdicts / figures.READ_RATE.value:,.0f} s or more at each start, and keeps AISLE_VERDICTS_MAX of them. "
        "Give sessions as long, and count on slow starts.",
    )
    yield (
        "group",
        members,
        figures.GROUP_MEMBERS.value,
        f"{members:,} workers in one group: all stop for a moment when one comes or goes, measured with four only.",
    )
    yield (
        "gateway-reads",
        plan.peak_per_s,
        figures.READ_RATE.value * figures.LOAD.value,
        "every gateway reads predictions.out whole, to find what its callers wait for: beyond "
        f"{figures.READ_RATE.value * figures.LOAD.value:,.0f} a second calls end with a link (202) and the live feed "
        "skips. Leave the gateway to people and to a cluster of its own.",
    )
    yield (
        "partitions",
        plan.partitions,
        _most_partitions(),
        f"{plan.partitions:,} partitions: AISLE_TOPIC_PARTITIONS ends at {_most_partitions():,}. Split the catalogue "
        "over several Kafka clusters, each an aisle of its own.",
    )
    yield (
        "broker-disk",
        plan.broker_bytes,
        10 * figures.BROKER_BYTES.value,
        f"{shown_bytes(plan.broker_bytes)} of topics: more than ten brokers' disks. Keep fewer days, compress, or have "
        "the brokers tier their storage.",
    )
    yield (
        "photo-files",
        photos,
        figures.PHOTO_FILES.value,
        f"{photos:,.0f} photos, a file each below one folder: name photos in your own object store by uri "
        "(AISLE_IMAGE_ROOTS), and keep them there.",
    )


def _most_partitions() -> int:
    return next(int(one.le) for one in Settings.model_fields["topic_partitions"].metadata if hasattr(one, "le"))


def shown_bytes(size: float) -> str:
    """A size in decimal units, with three figures."""
    for unit in ("bytes", "KB", "MB", "GB", "TB", "PB"):
        if float(f"{size:.3g}") < 1_000:
            return f"{size:,.3g} {unit}"
        size /= 1_000
    return f"{1_000 * size:,.0f} PB"
