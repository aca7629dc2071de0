"""Which batches are under way, and how far each partition is done."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.structs import ConsumerRecord
from faust.types import TP
from faust.types.tuples import ConsumerMessage


class RecordBatch(ConsumerMessage):
    """The records of one fetch, from any partitions, as the one message that Faust carries.

    ``value`` is the list of records, in offset order within each partition. Topic, partition and offset
    are those of the first record and mean nothing beyond a place in the logs.

    Args:
        records: At least one record.
        generation_id: The consumer group generation the records were fetched in.
        size_bytes: Payload of the records.
        condemned_after: Not 0: the one record ended so many processes, and is to become a dead letter unworked.
    """

    def __init__(
        self, records: Sequence[ConsumerRecord], generation_id: int, size_bytes: int = 0, condemned_after: int = 0
    ) -> None:
        first = records[0]
        super().__init__(
            first.topic,
            first.partition,
            first.offset,
            first.timestamp / 1000,
            first.timestamp_type,
            headers=None,
            key=None,
            value=records,  # type: ignore[arg-type] # Faust never looks inside
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            generation_id=generation_id,
        )
        next_offsets = {(record.topic, record.partition): record.offset + 1 for record in records}
        self.next_offsets = {TP(*partition): offset for partition, offset in next_offsets.items()}
        self.size_bytes = size_bytes
        self.condemned_after = condemned_after
        self.is_worked = False
        self.on_worked: Callable[[], None] = lambda: None
        self.on_done: Callable[[float], None] = lambda _seconds: None
        self.on_exonerated: Callable[[], Awaitable[None]] | None = None

    def worked(self) -> None:
        """The work is done, its delivery is still to come: the next batch may be taken."""
        self.is_worked = True
        self.on_worked()

    def took(self, seconds: float) -> None:
        """All is done, and took so long without the waits for other batches."""
        self.on_done(seconds)

    async def exonerate(self) -> None:
        """The process is about to end while this batch is open, by no fault of an event in it."""
        if self.on_exonerated is not None:
            await self.on_exonerated()


class Ledger:
    """Batches in the order they were delivered; offsets move over the finished ones at its head.

    Batches may finish in any order: a partition's offset never moves past an unfinished one.
    """

    def __init__(self) -> None:
        self._open: deque[RecordBatch] = deque()
        self._finished: dict[TP, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def in_work(self) -> bool:
        """Whether some batch still waits for its work, or is in it."""
        return any(not batch.is_worked for batch in self._open)

    @property
    def size_bytes(self) -> int:
        """Payload of the open batches."""
        return sum(batch.size_bytes for batch in self._open)

    def add(self, batch: RecordBatch) -> None:
        """Note a batch as delivered."""
        self._open.append(batch)

    def settle(self) -> None:
        """Move the offsets over the acknowledged batches at the head."""
        while self._open and self._open[0].acked:
            self._finished.update(self._open.popleft().next_offsets)

    @property
    def finished(self) -> dict[TP, int]:
        """For each partition, the offset after its last finished record: what may be committed."""
        return self._finished

    def forget(self) -> None:
        """Drop everything: the consumer goes back to the committed offsets.

        The late acknowledgement of a forgotten batch then finds no entry and moves nothing.
        """
        self._open.clear()
        self._finished.clear()
