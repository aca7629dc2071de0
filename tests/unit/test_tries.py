"""The notes of careful mode, over the lives of several processes."""

from typing import Any

import pytest
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from infra.kafka.tries import Tries

ONE = TP("t", 0)


class FakeGroup:
    """A broker's memory of one partition's offset and note, and a consumer of it.

    Args:
        end: Where the partition ends.
        begin: Where it begins.
    """

    def __init__(self, end: int = 100, begin: int = 0) -> None:
        self.committed: OffsetAndMetadata | None = None
        self.broken = False
        self._ends = {TopicPartition(*ONE): end}
        self._begins = {TopicPartition(*ONE): begin}
        self._coordinator = self
        self.generation = 1

    def assignment(self) -> set[TopicPartition]:
        """The one partition."""
        return set(self._ends)

    async def fetch_committed_offsets(self, _partitions: Any) -> dict[TopicPartition, OffsetAndMetadata]:
        """What was committed."""
        return {} if self.committed is None else {TopicPartition(*ONE): self.committed}

    async def beginning_offsets(self, _partitions: Any) -> dict[TopicPartition, int]:
        """Where it begins."""
        return self._begins

    async def end_offsets(self, _partitions: Any) -> dict[TopicPartition, int]:
        """Where it ends."""
        return self._ends

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        """Keep it."""
        if self.broken:
            raise CommitFailedError
        self.committed = offsets[TopicPartition(*ONE)]


async def begun(group: FakeGroup, limit: int = 4) -> Tries:
    """A new process that gets the partition."""
    tries = Tries(limit)
    await tries.count(group)
    return tries


def note(group: FakeGroup) -> tuple[int, str]:
    """What is committed."""
    assert group.committed is not None
    return group.committed.offset, group.committed.metadata


async def test_the_guilty_record_is_narrowed_down() -> None:
    """A batch of 80, then 32 at a time, then each alone, then a dead letter; in the end skipped by its offset."""
    group = FakeGroup()
    first = await begun(group)
    await first.begin(group, {ONE: 80})
    assert (frozenset(), (0, "aisle tries=1 until=80")) == (first.suspects, note(group))

    second = await begun(group)
    assert (frozenset({ONE}), 32) == (second.suspects, second.at_a_time(ONE))
    await second.begin(group, {ONE: 32})
    assert (0, "aisle tries=2 until=32") == note(group)

    third = await begun(group)
    assert (1, 0) == (third.at_a_time(ONE), third.condemned_after(ONE))
    await third.begin(group, {ONE: 1})

    fourth = await begun(group)
    assert (4, None) == (fourth.condemned_after(ONE), fourth.unreadable)
    for _ in range(2):
        await fourth.begin(group, {ONE: 1})
        fourth = await begun(group)
    assert (6, (ONE, 0)) == (fourth.condemned_after(ONE), fourth.unreadable)


async def test_a_suspect_that_was_not_begun_is_not_condemned() -> None:
    """Another partition's event ends the process again and again: this one stays where it was."""
    group = FakeGroup()
    await (await begun(group)).begin(group, {ONE: 5})
    for _ in range(10):
        tries = await begun(group)
    assert (frozenset({ONE}), 0) == (tries.suspects, tries.condemned_after(ONE))
    assert (0, "aisle tries=1 until=5") == note(group)


async def test_what_was_not_in_hand_is_not_suspect() -> None:
    """The process had the partition, and ended by another one's event before it took a record of this one."""
    group = FakeGroup()
    for _ in range(3):
        tries = await begun(group)
        assert frozenset() == tries.suspects


async def test_a_fetch_that_ends_the_process_is_found_too() -> None:
    """Nothing is ever handed on: in the end the partition's head is fetched alone, then skipped."""
    group = FakeGroup()
    for _ in range(20):
        tries = await begun(group)
        if tries.unreadable:
            break
        if tries.suspects:
            assert 1 == tries.at_a_time(ONE)
            await tries.begin(group, {ONE: 1})
    assert (ONE, 0) == tries.unreadable


async def test_progress_clears_the_name_of_what_is_done() -> None:
    """Before the end of the span the rest is suspect as it was; behind it the partition is like any other."""
    group = FakeGroup()
    await (await begun(group)).begin(group, {ONE: 10})
    tries = await begun(group)
    await tries.begin(group, {ONE: 1})
    tries.progressed({ONE: 1})
    assert ("aisle tries=1 until=10", frozenset({ONE})) == (tries.note(ONE), tries.suspects)
    tries.progressed({ONE: 10})
    assert ("", frozenset()) == (tries.note(ONE), tries.suspects)


async def test_progress_at_the_first_try_leaves_no_note() -> None:
    """The ordinary case, however many batches are in hand: from then on none is noted."""
    group = FakeGroup()
    tries = await begun(group)
    await tries.begin(group, {ONE: 10})
    await tries.begin(group, {ONE: 20})
    tries.progressed({ONE: 10})
    assert ("", 0) == (tries.note(ONE), len(tries.unproven))


async def test_an_idle_partition_is_not_suspect() -> None:
    """However often processes end that were assigned it with nothing to read."""
    group = FakeGroup(end=0)
    for _ in range(9):
        tries = await begun(group)
    assert (frozenset(), None) == (tries.suspects, group.committed)


async def test_a_clean_hand_over_takes_the_note_back() -> None:
    """Also in the middle of a suspect span."""
    group = FakeGroup()
    await (await begun(group)).begin(group, {ONE: 10})
    tries = await begun(group)
    tries.progressed({ONE: 4})
    await tries.hand_over(group)
    assert (4, "") == note(group)
    assert frozenset() == (await begun(group)).suspects


async def test_a_note_on_a_record_that_has_expired_is_void() -> None:
    """The new head was never begun."""
    group = FakeGroup(begin=50)
    group.committed = OffsetAndMetadata(7, "aisle tries=3 until=8")
    tries = await begun(group)
    assert (frozenset(), (50, "aisle seen=1")) == (tries.suspects, note(group))


async def test_a_head_that_was_compacted_away_has_its_successor_judged() -> None:
    """The record alone in hand is the first that is there, wherever the committed offset points."""
    group = FakeGroup()
    group.committed = OffsetAndMetadata(7, "aisle tries=3 until=8")
    tries = await begun(group)
    tries.starts_at(ONE, 12)
    assert (12, 4) == (tries.offset(ONE), tries.condemned_after(ONE))


@pytest.mark.parametrize(
    "text", ["", "free text", "aisle tries=", "aisle tries=x", "tries=9", "aisle tries=9", "aisle tries=9 until=7"]
)
async def test_a_foreign_note_counts_as_none(text: str) -> None:
    """Commits by hand, by other tools and by other releases; a span that has ended."""
    group = FakeGroup()
    group.committed = OffsetAndMetadata(7, text)
    assert frozenset() == (await begun(group)).suspects


async def test_a_group_that_has_moved_on_stops_nothing() -> None:
    """A commit that fails leaves a try uncounted, no more."""
    group = FakeGroup()
    group.broken = True
    tries = await begun(group)
    await tries.begin(group, {ONE: 1})
    await tries.hand_over(group)
    assert tries.counted


async def test_gaps_between_offsets_make_nothing_unreadable() -> None:
    """Every other offset holds no record, so 32 records span 64: the guilty one ends alone, none is skipped."""
    group = FakeGroup(end=1_000)
    await (await begun(group)).begin(group, {ONE: 200})
    for _ in range(12):
        tries = await begun(group)
        assert tries.unreadable is None
        while tries.suspects:
            head, count = tries.offset(ONE), tries.at_a_time(ONE)
            await tries.begin(group, {ONE: head + 2 * count - 1})
            if tries.condemned_after(ONE):
                assert 40 == head
                return
            if head <= 40 < head + 2 * count:
                break  # it ends this process
            tries.progressed({ONE: head + 2 * count})
            await tries.retract(group, ONE)
    raise AssertionError("never found")
