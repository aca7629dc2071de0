"""What a plan is computed from: figures that were measured, where, and by what; and those that are assumed, as such."""

from dataclasses import dataclass
from typing import Final

BENCHMARKS: Final = "docs/benchmarks.md"


@dataclass(frozen=True)
class Figure:
    """One figure.

    Args:
        value: In the unit that ``what`` names.
        what: What it is, in words, with its unit.
        shown: How the page writes it, so that a page that was measured anew is noticed; "" where it is assumed.
        bench: The command that measures it again; "" where it is assumed.
    """

    value: float
    what: str
    shown: str = ""
    bench: str = ""


CLASSIFY_RATE: Final = Figure(
    16_965, "events a second of one classify worker, texts, on 2 cores beside the broker", "16,965", "stream"
)
PHOTO_RATE: Final = Figure(29, "photos a second that one classify worker looks at, on 2 cores", "| 29 (0.2) |", "model")
READ_RATE: Final = Figure(165_009, "records a second that one process reads and does nothing with", "165,009", "stream")
BROKER_US: Final = Figure(8.1, "microseconds of the broker's CPU an event, one copy", "| 8.1 |", "stream")
CLASSIFY_MB: Final = Figure(800, "MB of a classify worker, texts", "| 800 | 800 |", "stream")
PHOTOS_MB: Final = Figure(
    1_395, "MB that learning with photos took: serving them takes no more", "learned in 1,395 MB", "model"
)
VERDICTS_MB: Final = Figure(120, "MB of the million verdicts that a worker keeps by default (docs/feedback.md)")
ARCHIVE_MB: Final = Figure(121, "MB of an archive worker", "archive 121 MB", "sizes")
GATEWAY_MB: Final = Figure(217, "MB of a gateway", "gateway 217 MB", "sizes")
MONITOR_MB: Final = Figure(1_000, "MB of the monitor while it compares")
TRAINING_MB: Final = Figure(2_189, "MB of a training with photos", "learned in 2,189 MB", "model")
GATEWAY_RATE: Final = Figure(
    361, "predict calls a second, all of aisle and the callers on 2 cores", "361 a second", "gateway"
)
STORE_WRITES: Final = Figure(1_603, "writes a second of the embedded store, on 2 cores", "1,603 writes/s", "stream")
ARCHIVE_US: Final = Figure(67, "microseconds of the archive's CPU an event, before the store answers", "67 µs", "sizes")
PRODUCT_BYTES: Final = Figure(553, "bytes of a record of products.in, no compression", "553 bytes", "sizes")
PREDICTION_BYTES: Final = Figure(1_011, "bytes of a record of predictions.out, no compression", "1,011 bytes", "sizes")
ITEM_BYTES: Final = Figure(1_068, "bytes of an item in the store, no compression", "1,068 bytes", "sizes")
INDEX_BYTES: Final = Figure(156, "bytes of its index entries, without the trees' own room", "156 bytes", "sizes")
REVIEW_SHARE: Final = Figure(0.10, "share of the answers that a person should look at", "look 90%", "model")

LOAD: Final = Figure(0.6, "share of its measured rate that a process is loaded with at the peak")
COPIES: Final = Figure(3, "copies of each partition")
PHOTO_BYTES: Final = Figure(100_000, "bytes of a photo")
JUDGED: Final = Figure(3_000, "verdicts that a person gives in a day: one in seven seconds for six hours")
PEOPLE: Final = Figure(20, "people who review, at most")
SHARD_WRITES: Final = Figure(10_000, "writes a second of one replica set: measure yours")
SHARD_BYTES: Final = Figure(2e12, "bytes that one replica set holds well")
BROKER_REPLICAS: Final = Figure(4_000, "copies of partitions that one broker holds well")
BROKER_BYTES: Final = Figure(10e12, "bytes that one broker holds well")
GROUP_MEMBERS: Final = Figure(50, "members of a group; changes of membership were measured with four")
PHOTO_FILES: Final = Figure(50e6, "photos in one folder tree of a shared file system")
START_S: Final = Figure(60, "seconds that a worker may take to read all verdicts before it is ready")

MEASURED: Final = (
    CLASSIFY_RATE,
    PHOTO_RATE,
    READ_RATE,
    BROKER_US,
    CLASSIFY_MB,
    PHOTOS_MB,
    ARCHIVE_MB,
    GATEWAY_MB,
    TRAINING_MB,
    GATEWAY_RATE,
    STORE_WRITES,
    ARCHIVE_US,
    PRODUCT_BYTES,
    PREDICTION_BYTES,
    ITEM_BYTES,
    INDEX_BYTES,
    REVIEW_SHARE,
)
ASSUMED: Final = (
    LOAD,
    COPIES,
    VERDICTS_MB,
    MONITOR_MB,
    PHOTO_BYTES,
    JUDGED,
    PEOPLE,
    SHARD_WRITES,
    SHARD_BYTES,
    BROKER_REPLICAS,
    BROKER_BYTES,
    GROUP_MEMBERS,
    PHOTO_FILES,
    START_S,
)
