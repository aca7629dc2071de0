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


async def begun(group: FakeGroup, limit: int = 3) -> Tries:
    """A new process that gets the partition."""
    tries = Tries(limit, span=10)
    await tries.count(group)
    return tries


def note(group: FakeGroup) -> tuple[int, str]:
    """What is committed."""
    assert group.committed is not None
    return group.committed.offset, group.committed.metadata


async def test_a_head_that_ends_every_process_is_condemned_and_then_skipped() -> None:
    """First in a batch, then alone, then as a dead letter, then by its offset alone."""
    group = FakeGroup()
    first = await begun(group)
    assert (frozenset(), (0, "aisle tries=1")) == (first.suspects, note(group))

    second = await begun(group)
    assert frozenset({ONE}) == second.suspects
    assert 0 == second.condemned_after(ONE)
    await second.begin(group, ONE)
    assert (0, "aisle tries=2") == note(group)

    third = await begun(group)
    assert (3, None) == (third.condemned_after(ONE), third.unreadable)
    await third.begin(group, ONE)

    fourth = await begun(group)
    assert (4, (ONE, 0)) == (fourth.condemned_after(ONE), fourth.unreadable)


async def test_a_suspect_that_was_not_begun_is_not_condemned() -> None:
    """Another partition's event ends the process again and again: this one stays where it was."""
    group = FakeGroup()
    for _ in range(10):
        tries = await begun(group)
    assert (frozenset({ONE}), 0) == (tries.suspects, tries.condemned_after(ONE))


async def test_progress_clears_the_name_of_what_is_done() -> None:
    """Within the span the next head is suspect from its first try; behind it the partition is like any other."""
    group = FakeGroup()
    await begun(group)
    tries = await begun(group)
    await tries.begin(group, ONE)
    tries.progressed({ONE: 1})
    assert ("aisle tries=1", 0, frozenset({ONE})) == (tries.note(ONE), tries.condemned_after(ONE), tries.suspects)
    tries.progressed({ONE: 10})
    assert ("", frozenset()) == (tries.note(ONE), tries.suspects)


async def test_progress_at_the_first_try_leaves_no_note() -> None:
    """The ordinary case."""
    tries = await begun(FakeGroup())
    tries.progressed({ONE: 1})
    assert "" == tries.note(ONE)


async def test_no_more_is_suspect_than_there_was() -> None:
    """What was published after the process had ended cannot have ended it."""
    group = FakeGroup(end=3)
    await begun(group)
    tries = await begun(group)
    tries.progressed({ONE: 3})
    assert frozenset() == tries.suspects


async def test_an_idle_partition_is_not_suspect() -> None:
    """However often processes end that were assigned it with nothing to read."""
    group = FakeGroup(end=0)
    for _ in range(5):
        tries = await begun(group)
    assert (frozenset(), None) == (tries.suspects, group.committed)


async def test_a_clean_hand_over_takes_the_note_back() -> None:
    """Also in the middle of a suspect span."""
    group = FakeGroup()
    await begun(group)
    tries = await begun(group)
    tries.progressed({ONE: 4})
    await tries.hand_over(group)
    assert (4, "") == note(group)
    assert frozenset() == (await begun(group)).suspects


async def test_a_note_on_a_record_that_has_expired_is_void() -> None:
    """The new head was never begun."""
    group = FakeGroup(begin=50)
    group.committed = OffsetAndMetadata(7, "aisle tries=3")
    tries = await begun(group)
    assert (frozenset(), (50, "aisle tries=1")) == (tries.suspects, note(group))


@pytest.mark.parametrize("text", ["", "free text", "aisle tries=", "aisle tries=x", "tries=9"])
async def test_a_foreign_note_counts_as_none(text: str) -> None:
    """Commits by hand, by other tools and by other releases."""
    group = FakeGroup()
    group.committed = OffsetAndMetadata(7, text)
    assert frozenset() == (await begun(group)).suspects


async def test_a_group_that_has_moved_on_stops_nothing() -> None:
    """A commit that fails leaves a try uncounted, no more."""
    group = FakeGroup()
    group.broken = True
    tries = await begun(group)
    await tries.begin(group, ONE)
    await tries.hand_over(group)
    assert tries.counted
