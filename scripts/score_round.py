"""Rows of a file that were never sent: sent as products, answered, and held against their categories."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.lease import utc_now

if TYPE_CHECKING:
    from infra.settings import Settings
    from model.data.dataset import ProductRow
    from model.report.schema import Interval


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of a known category, and what came back.

    Args:
        truth: Code of its category; None where the model in service does not know it.
        said: Code of the category that it got; None where there was no answer.
        version: The model's.
    """

    truth: str | None
    said: str | None
    version: str | None

    @property
    def is_right(self) -> bool:
        """Whether it got its category."""
        return self.said is not None and self.said == self.truth


@dataclass(frozen=True, slots=True)
class Round:
    """Rows that were sent together, or several such rounds.

    Args:
        at: When the last of them was answered.
        answers: One for each row.
    """

    at: datetime
    answers: Sequence[Answer]

    @property
    def sent(self) -> int:
        """Rows."""
        return len(self.answers)

    @property
    def answered(self) -> int:
        """Those that got a category."""
        return sum(one.said is not None for one in self.answers)

    @property
    def right(self) -> int:
        """Those that got theirs."""
        return sum(one.is_right for one in self.answers)

    @property
    def interval(self) -> "Interval | None":
        """Where the accuracy lies, with 95 % (Wilson 1927); None where nothing was sent."""
        from workers.monitor.accuracy import wilson

        return wilson(self.right, self.sent) if self.sent else None

    @property
    def weighted_f1(self) -> float | None:
        """The mean of the categories' F1, each weighed by its rows; no answer counts as a wrong one."""
        from sklearn.metrics import f1_score

        known = [(one.truth, one.said or "") for one in self.answers if one.truth is not None]
        if not known:
            return None
        truth, said = zip(*known, strict=True)
        labels = sorted(set(truth))
        return float(f1_score(truth, said, labels=labels, average="weighted", zero_division=0))

    @property
    def versions(self) -> list[str]:
        """The models that answered."""
        return sorted({one.version for one in self.answers if one.version is not None})

    def with_(self, other: "Round") -> "Round":
        """Both together."""
        return Round(max(self.at, other.at), [*self.answers, *other.answers])

    def figures(self) -> dict[str, Any]:
        """All of it, for machines."""
        span, f1 = self.interval, self.weighted_f1
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "sent": self.sent,
            "answered": self.answered,
            "right": self.right,
            "accuracy": self.right / self.sent if self.sent else None,
            "interval": None if span is None else [span.low, span.high],
            "weighted_f1": None if f1 is None else round(f1, 6),
            "models": self.versions,
        }


@dataclass(frozen=True, slots=True)
class _Event:
    """A row and the id of its event."""

    row: "ProductRow"
    event_id: str


async def score(settings: "Settings", file: Path, rows: int, wait_s: float) -> Round:
    """Send rows that the archive does not know, and wait for their answers.

    Args:
        settings: What is in force.
        file: CSV, JSONL or Parquet with categories, which stay here.
        rows: How many at most.
        wait_s: How long the answers may take.

    Raises:
        AisleError: File, brokers or store cannot be used, or no model is in service.
    """
    from infra.endpoints import find_kafka
    from infra.forgotten import Forgotten
    from infra.kafka.clients import producer_client
    from model.data.dataset import iter_products
    from schemas.limits import MAX_PRODUCT_RECORD_BYTES
    from scripts.stored import opened_store
    from streams.replay.file import FileEvents, publish
    from streams.replay.forgotten import is_forgotten
    from workers.monitor.answers import answers, unseen
    from workers.monitor.champion import champion_of

    taxonomy = (await asyncio.to_thread(champion_of, settings)).manifest.taxonomy
    events = FileEvents.of(file)

    async with opened_store() as store:
        forgotten = Forgotten(store)
        await forgotten.refresh()

        def known() -> Iterator[_Event]:
            # The archive never has what was forgotten, or what no record holds: such rows would be due for ever.
            for row in iter_products(file):
                if row.category is None or len(events.value(row)) > MAX_PRODUCT_RECORD_BYTES:
                    continue
                if not (forgotten and is_forgotten(events.event(row), forgotten)):
                    yield _Event(row, events.event_id(row))

        chosen = await unseen(store, known(), rows)
        async with producer_client(find_kafka(settings)) as producer:
            await publish(producer, [one.row for one in chosen], events)
        found = await answers(store, [one.event_id for one in chosen], wait_s)
    told = (found.get(one.event_id, {}).get("prediction", {}) for one in chosen)
    return Round(
        utc_now(),
        [
            Answer(
                taxonomy.code_of(one.row.category or ""),
                said.get("category", {}).get("code"),
                said.get("model", {}).get("version"),
            )
            for one, said in zip(chosen, told, strict=True)
        ],
    )
