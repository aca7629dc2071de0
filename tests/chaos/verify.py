"""Counts what became of every event, with plain clients and none of aisle's code.

Every event that was published must be in predictions.out or in products.dlq, and be one document in
MongoDB. Events are told by the header ``aisle-event-id`` that their producer gave them.

    python -m tests.chaos.verify --kafka HOST:PORT --mongodb mongodb://HOST:PORT
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from pymongo import MongoClient

EVENT_ID = "aisle-event-id"
SHOWN = 5


@dataclass
class Verdict:
    """What was counted."""

    published: int = 0
    predicted: int = 0
    dead_lettered: int = 0
    repeated: int = 0
    unasked: int = 0
    out_of_order: int = 0
    documents: int = 0
    lost: list[str] = field(default_factory=list)
    not_archived: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether nothing was lost, invented or reordered."""
        return not (self.lost or self.not_archived or self.unasked or self.out_of_order)


async def read(bootstrap: str, topic: str) -> list[tuple[int, int, str, bytes | None]]:
    """(partition, offset, event id, key) of every record of a topic, up to its end now."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        rows = []
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    ids = [value for name, value in record.headers if name == EVENT_ID]
                    rows.append((record.partition, record.offset, ids[-1].decode() if ids else "", record.key))
        return rows
    finally:
        await consumer.stop()


async def verify(bootstrap: str, mongodb_uri: str, database: str = "aisle") -> Verdict:
    """Count once, as things stand now."""
    published = await read(bootstrap, "products.in")
    predicted = await read(bootstrap, "predictions.out")
    dead = await read(bootstrap, "products.dlq")
    asked = {row[2] for row in published}
    answers = Counter(row[2] for row in predicted)
    letters = Counter(row[2] for row in dead)
    answered = set(answers) | set(letters)
    verdict = Verdict(
        published=len(asked),
        predicted=len(answers),
        dead_lettered=len(letters),
        repeated=sum(answers.values()) - len(answers) + sum(letters.values()) - len(letters),
        unasked=len(answered - asked),
        out_of_order=_out_of_order(published, predicted),
        lost=sorted(asked - answered),
    )
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb_uri)
    with client:
        items = client[database]["items"]
        archived = {
            item["_id"]
            for item in items.find(
                {"$or": [{"prediction": {"$exists": True}}, {"dead_letter": {"$exists": True}}]}, ["_id"]
            )
        }
        verdict.documents = items.count_documents({})
    verdict.not_archived = sorted(asked - archived)
    return verdict


def _out_of_order(published: list[tuple[int, int, str, bytes | None]], predicted: list[Any]) -> int:
    """How often the first answers of two events of one partition came in another order than the events."""
    place = {row[2]: (row[0], row[1]) for row in reversed(published)}
    seen: set[str] = set()
    last: dict[int, int] = {}
    count = 0
    for _, _, event_id, _ in sorted(predicted):
        if event_id in seen or event_id not in place:
            continue
        seen.add(event_id)
        partition, offset = place[event_id]
        count += offset < last.get(partition, -1)
        last[partition] = max(offset, last.get(partition, -1))
    return count


async def verify_until_right(bootstrap: str, mongodb_uri: str, within_s: float) -> Verdict:
    """Count again and again until all is right, or time is up."""
    until = time.monotonic() + within_s
    while True:
        verdict = await verify(bootstrap, mongodb_uri)
        if verdict.right or time.monotonic() > until:
            return verdict
        await asyncio.sleep(2)


def main() -> None:
    """Print the count as JSON; exit 1 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", required=True, help="bootstrap servers")
    parser.add_argument("--mongodb", required=True, help="mongodb:// address")
    parser.add_argument("--within", type=float, default=0, help="seconds to wait for stragglers")
    arguments = parser.parse_args()
    verdict = asyncio.run(verify_until_right(arguments.kafka, arguments.mongodb, arguments.within))
    counts = asdict(verdict)
    for name in ("lost", "not_archived"):
        counts[name] = {"count": len(counts[name]), "first": counts[name][:SHOWN]}
    print(json.dumps(counts, indent=2))
    sys.exit(0 if verdict.right else 1)


if __name__ == "__main__":
    main()
