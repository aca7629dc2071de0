"""The verifier notices what it is there to notice."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from tests.chaos.audit import Audit, Repeat, Verdict, short

IDS = [uuid4().bytes for _ in range(6)]


def audited(*answers: int, committed: int | None = None, dead: Sequence[int] = ()) -> Audit:
    """An audit of six events of partition 3, answered in this order, then perhaps committed, and archived."""
    audit = Audit()
    for offset, event_id in enumerate(IDS):
        audit.asked(3, offset, event_id)
    for number in answers:
        audit.answered(3, IDS[number], 1_000 + number, dead=number in dead)
    if committed is not None:
        audit.committed(3, committed)
    audit.archived(IDS, len(IDS))
    return audit


def test_all_is_right_when_all_is_answered_once_and_in_order() -> None:
    """Predictions and dead letters are answers alike; dead letters, in another topic, tell nothing of order."""
    verdict = audited(1, 0, 2, 3, 4, 5, committed=6, dead=[1]).verdict()

    assert {} == verdict.wrong
    assert (6, 5, 1) == (verdict.published, verdict.predicted, verdict.dead_lettered)


@pytest.mark.parametrize(
    ("audit", "wrong"),
    [
        (audited(0, 1, 2, 4, 5), {"lost": 1}),
        (audited(0, 2, 1, 3, 4, 5), {"out_of_order": 1}),
        (audited(0, 1, 2, committed=5), {"lost": 3, "wrongly_committed": 2}),
    ],
)
def test_each_wrong_is_counted(audit: Audit, wrong: dict[str, int]) -> None:
    """A lost event, one answered before an earlier one of its key's partition, a commit past open events."""
    assert wrong == audit.verdict().wrong


def test_a_late_answer_does_not_undo_an_early_commit() -> None:
    """What counts is what was answered when the commit was seen."""
    audit = audited(0, 1, committed=3)
    for number in range(2, 6):
        audit.answered(3, IDS[number], 2_000, dead=False)

    assert {"wrongly_committed": 1} == audit.verdict().wrong


def test_commits_only_grow() -> None:
    """An offset committed again is fine, an earlier one is not."""
    audit = audited(*range(6), committed=6)
    audit.committed(3, 6)
    audit.committed(3, 4)

    assert {"commits_back": 1} == audit.verdict().wrong


def test_a_repeat_is_no_disorder_and_keeps_both_times() -> None:
    """An event answered again is counted with the answer before, whatever came between."""
    audit = audited(0, 1, 2, 3, 4, 5)
    audit.answered(3, IDS[1], 9_000, dead=False)

    assert {} == audit.verdict().wrong
    assert [Repeat(1_001, 9_000)] == audit.repeats


def test_documents_are_looked_for_by_id() -> None:
    """As many documents as events are not enough: they must be theirs."""
    audit = audited(*range(6))
    audit.archived([*IDS[:5], uuid4().bytes], 6)
    verdict = audit.verdict()

    assert {"not_archived": 1} == verdict.wrong
    assert 1 == len(verdict.first_not_archived)


def test_an_answer_that_nobody_asked_for_is_counted() -> None:
    """Invented events are wrong too, and too many documents."""
    audit = audited(*range(6))
    audit.answered(3, uuid4().bytes, 1_000, dead=False)
    audit.archived(IDS, 7)

    assert {"unasked": 1, "documents_too_many_or_few": 1} == audit.verdict().wrong


def test_any_id_becomes_16_bytes() -> None:
    """A UUID keeps its own; others get a digest that is theirs."""
    event_id = uuid4()

    assert event_id.bytes == short(str(event_id))
    assert 16 == len(short("no uuid")) == len(short("another"))
    assert short("no uuid") != short("another")


def test_a_new_verdict_is_right_only_if_empty() -> None:
    """Nothing published, nothing wrong."""
    assert Verdict().right
