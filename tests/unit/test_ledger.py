"""How offsets move over finished batches."""

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from infra.kafka.ledger import Ledger, RecordBatch
from schemas.topics import PRODUCTS_IN
from tests.records import record

P0, P1 = TP(PRODUCTS_IN, 0), TP(PRODUCTS_IN, 1)


def batch(*places: tuple[int, int]) -> RecordBatch:
    """A batch of records at (partition, offset)."""
    return RecordBatch([record(b"{}", partition=partition, offset=offset) for partition, offset in places], 1)


def test_a_batch_knows_the_offset_after_its_last_record_of_each_partition() -> None:
    """A commit names the next offset to read, for every partition that the batch touches."""
    assert {P0: 6, P1: 8} == batch((0, 4), (0, 5), (1, 7)).next_offsets


def test_offsets_wait_for_the_batch_before() -> None:
    """A batch that finishes early moves nothing until those before it are finished."""
    ledger, first, second = Ledger(), batch((0, 0)), batch((0, 1), (1, 0))
    ledger.add(first)
    ledger.add(second)

    second.acked = True
    ledger.settle()
    assert {} == ledger.finished

    first.acked = True
    ledger.settle()
    assert {P0: 2, P1: 1} == ledger.finished
    assert len(ledger) == 0


def test_a_forgotten_batch_moves_nothing() -> None:
    """After a seek to the committed offsets a late acknowledgement has no effect."""
    ledger, stale = Ledger(), batch((0, 0))
    ledger.add(stale)
    ledger.forget()

    stale.acked = True
    ledger.settle()

    assert {} == ledger.finished


@given(st.permutations(range(6)))
def test_offsets_never_pass_an_unfinished_batch(order: list[int]) -> None:
    """In whatever order batches finish, the offset is that of the longest finished run from the start."""
    ledger = Ledger()
    batches = [batch((0, offset)) for offset in range(6)]
    for one in batches:
        ledger.add(one)
    finished: set[int] = set()
    for index in order:
        batches[index].acked = True
        ledger.settle()
        finished.add(index)
        run = next(n for n in range(7) if n not in finished)
        assert run == ledger.finished.get(P0, 0)
