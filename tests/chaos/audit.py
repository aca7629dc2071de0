"""The book-keeping of the verifier: what was asked, answered and committed, in 16 bytes an id and a few an event.

Knows nothing of Kafka, MongoDB or aisle: it is told of records in the order of each partition's log.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from uuid import UUID

SHOWN: Final = 5

_DEAD: Final = 1
_PREDICTED: Final = 2


@dataclass
class Verdict:
    """What was counted. Lists name the first few event ids of what is wrong; the numbers count all of them."""

    published: int = 0
    predicted: int = 0
    dead_lettered: int = 0
    repeated: int = 0
    documents: int = 0
    lost: int = 0
    unasked: int = 0
    out_of_order: int = 0
    wrongly_committed: int = 0
    commits_back: int = 0
    commits_checked: int = 0
    not_archived: int = 0
    first_lost: list[str] = field(default_factory=list)
    first_not_archived: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, int]:
        """What must be nothing and is not, by name."""
        names = ("lost", "unasked", "out_of_order", "wrongly_committed", "commits_back", "not_archived")
        found = {name: getattr(self, name) for name in names}
        found["documents_too_many_or_few"] = abs(self.documents - self.published)
        return {name: count for name, count in found.items() if count}

    @property
    def right(self) -> bool:
        """Whether nothing was lost, invented, reordered or committed too early, with one document an event."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Repeat:
    """An answer to an event that had one: when the one before was made, and when this one, in ms since 1970."""

    before_ms: int
    again_ms: int


class Audit:
    """Counts what becomes of events."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._partition, self._offset = array("H"), array("q")
        self._asked, self._kinds, self._archived = bytearray(), bytearray(), bytearray()
        self._answered_ms = array("q")
        self._log: dict[int, tuple[array[int], array[int]]] = {}
        self._checked: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._last_first: dict[int, int] = {}
        self._repeats: tuple[array[int], array[int]] = (array("q"), array("q"))
        self.answers = array("q")
        """When each answer was made, in ms, in the order of arrival here."""
        self._counts = Verdict()

    def asked(self, partition: int, offset: int, event_id: bytes) -> None:
        """A record of the source topic; call in offset order."""
        place = self._place(event_id)
        if not self._asked[place]:
            self._asked[place] = 1
            self._partition[place], self._offset[place] = partition, offset
        offsets, places = self._log.setdefault(partition, (array("q"), array("q")))
        offsets.append(offset)
        places.append(place)

    def answered(self, partition: int, event_id: bytes, at_ms: int, *, dead: bool) -> None:
        """A prediction or dead letter; call in offset order, after ``asked`` of its event.

        Only predictions tell of order: dead letters are in another topic.
        """
        place = self._place(event_id)
        self.answers.append(at_ms)
        if self._kinds[place]:
            self._repeats[0].append(self._answered_ms[place])
            self._repeats[1].append(at_ms)
        elif not dead and self._asked[place]:
            last, offset = self._last_first.get(partition, -1), self._offset[place]
            self._counts.out_of_order += offset < last or self._partition[place] != partition
            self._last_first[partition] = max(offset, last)
        self._kinds[place] |= _DEAD if dead else _PREDICTED
        self._answered_ms[place] = at_ms

    def committed(self, partition: int, next_offset: int) -> None:
        """A group's committed offset; call after ``answered`` of all that was answered by then.

        Every event below it must have its answer by now.
        """
        self._counts.commits_checked += 1
        self._counts.commits_back += next_offset < self._committed.get(partition, 0)
        self._committed[partition] = next_offset
        offsets, places = self._log.get(partition, (array("q"), array("q")))
        row = self._checked.get(partition, 0)
        while row < len(offsets) and offsets[row] < next_offset:
            self._counts.wrongly_committed += not self._kinds[places[row]]
            row += 1
        self._checked[partition] = row

    def archived(self, event_ids: Iterable[bytes], documents: int) -> None:
        """What the store holds now: the ids of the items with an answer, and the number of all items."""
        self._archived = bytearray(len(self._archived))
        for event_id in event_ids:
            if (place := self._places.get(event_id)) is not None:
                self._archived[place] = 1
        self._counts.documents = documents

    @property
    def unanswered(self) -> int:
        """Events without an answer so far."""
        return sum(1 for asked, kind in zip(self._asked, self._kinds, strict=True) if asked and not kind)

    @property
    def all_committed(self) -> bool:
        """Whether the committed offsets are at the end of what was asked."""
        ends = {partition: offsets[-1] + 1 for partition, (offsets, _) in self._log.items()}
        return all(self._committed.get(partition, 0) >= end for partition, end in ends.items())

    @property
    def repeats(self) -> list[Repeat]:
        """Every answer that was not the event's first."""
        return [Repeat(before, again) for before, again in zip(*self._repeats, strict=True)]

    def kinds(self, event_ids: Iterable[bytes]) -> tuple[int, int]:
        """How many of these events were predicted, and how many are dead letters."""
        kinds = [self._kinds[self._places[one]] for one in event_ids if one in self._places]
        return sum(1 for kind in kinds if kind & _PREDICTED), sum(1 for kind in kinds if kind & _DEAD)

    def verdict(self) -> Verdict:
        """The count as things stand."""
        counts = self._counts
        lost = [p for p, asked in enumerate(self._asked) if asked and not self._kinds[p]]
        missing = [p for p, asked in enumerate(self._asked) if asked and not self._archived[p]]
        counts.published = sum(self._asked)
        counts.predicted = sum(1 for kind in self._kinds if kind & _PREDICTED)
        counts.dead_lettered = sum(1 for kind in self._kinds if kind & _DEAD)
        counts.repeated = len(self._repeats[0])
        counts.unasked = len(self._asked) - counts.published
        counts.lost, counts.first_lost = len(lost), self._names(lost)
        counts.not_archived, counts.first_not_archived = len(missing), self._names(missing)
        return counts

    def _place(self, event_id: bytes) -> int:
        place = self._places.setdefault(event_id, len(self._places))
        if place == len(self._asked):
            for flags in (self._asked, self._kinds, self._archived):
                flags.append(0)
            self._partition.append(0)
            self._offset.append(-1)
            self._answered_ms.append(0)
        return place

    def _names(self, places: list[int]) -> list[str]:
        few = set(places[:SHOWN])
        return [str(UUID(bytes=one)) for one, place in self._places.items() if place in few] if few else []


def short(event_id: str) -> bytes:
    """An event id in 16 bytes: a UUID's own, else a digest."""
    try:
        return UUID(event_id).bytes
    except ValueError:
        return blake2b(event_id.encode(), digest_size=16).digest()
