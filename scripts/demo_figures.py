"""What the demo counts, by event id."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from schemas.dead_letter import DeadLetter
from schemas.prediction import Prediction
from schemas.topics import PREDICTIONS_OUT
from streams.decode import id_of

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from model.data.dataset import ProductRow
    from streams.replay.file import FileEvents

_SHOWN = 8
_RATE_WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as the view shows it."""

    title: str
    label: str
    confidence: float
    known: str
    needs_review: bool


@dataclass(slots=True)
class Figures:
    """Everything the demo knows of its own events."""

    total: int = 0
    sent: dict[str, float] = field(default_factory=dict)
    rows: dict[str, "ProductRow"] = field(default_factory=dict)
    predicted: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    agreeing: int = 0
    latencies_s: list[float] = field(default_factory=list)
    last: deque[Seen] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    reasons: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    _arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=5_000))

    def noting(self, rows: Iterable["ProductRow"], events: "FileEvents") -> Iterator["ProductRow"]:
        """The rows as they are, noted at the moment they are taken to be sent."""
        for row in rows:
            event_id = events.event_id(row)
            self.rows[event_id] = row
            self.sent[event_id] = monotonic()
            yield row

    def note(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Take in an answer, if it is one of ours and the first."""
        event_id = id_of(record)
        if event_id not in self.sent or event_id in self.answered:
            return
        now = monotonic()
        if record.topic != PREDICTIONS_OUT:
            self.dead.add(event_id)
            self.reasons.append(DeadLetter.from_headers(record.headers).message)
            return
        self.predicted.add(event_id)
        self._arrivals.append(now)
        self.latencies_s.append(now - self.sent[event_id])
        prediction, row = Prediction.model_validate_json(record.value or b""), self.rows[event_id]
        known = row.category or ""
        self.agreeing += prediction.category.label == known
        title = row.title or row.description or ""
        self.last.append(Seen(title, prediction.category.label, prediction.confidence, known, prediction.needs_review))

    @property
    def answered(self) -> set[str]:
        """Events that were predicted or dead-lettered."""
        return self.predicted | self.dead

    @property
    def complete(self) -> bool:
        """Whether all was sent and answered."""
        return len(self.sent) == self.total and len(self.predicted) + len(self.dead) >= self.total

    @property
    def rate(self) -> float:
        """Answers a second, of late."""
        recent = [at for at in self._arrivals if monotonic() - at < _RATE_WINDOW_S]
        return len(recent) / _RATE_WINDOW_S

    def latency_ms(self, share: float) -> float:
        """The latency that this share of events stayed below, from sending to reading the answer."""
        ordered = sorted(self.latencies_s[-2_000:])
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    @property
    def agreement(self) -> float:
        """Share of predictions that name the known category."""
        return self.agreeing / len(self.predicted) if self.predicted else 0.0
