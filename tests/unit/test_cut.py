"""How a fetch is cut into batches."""

import pytest

from infra.kafka.cut import cut
from tests.records import record


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([5], [1]),
        ([5, 5], [2]),
        ([5, 6], [1, 1]),
        ([4, 4, 4, 4, 4], [2, 2, 1]),
        ([50], [1]),  # larger than a batch may be: alone
        ([1, 50, 1], [1, 1, 1]),
        ([0, 0, 0], [3]),
    ],
)
def test_a_batch_holds_no_more_payload_than_allowed(sizes: list[int], batches: list[int]) -> None:
    """Ten bytes at most, in order, nothing left out; a larger record is a batch of its own."""
    records = [record(b"x" * size, offset=number) for number, size in enumerate(sizes)]
    cuts = list(cut(records, 10))
    assert batches == [end - start for start, end, _ in cuts]
    assert list(range(len(sizes))) == [number for start, end, _ in cuts for number in range(start, end)]
    assert [sum(sizes[start:end]) for start, end, _ in cuts] == [size for _, _, size in cuts]
