"""The shadow stage without broker and model: what is taken, what is passed over, and that nobody is answered."""

from time import time
from unittest.mock import AsyncMock
from uuid import uuid4

from structlog.testing import capture_logs

from infra.metrics.answers import SHADOW_PRODUCTS
from schemas.headers import EVENT_ID
from schemas.shadow import ShadowPrediction
from streams.archive import Writes
from streams.challenger import Challenger
from streams.decode import id_of
from streams.inference import Inference
from streams.items import shadow_upserts
from streams.shadow import ShadowRules, ShadowStage, is_sampled
from tests.records import record
from tests.unit.test_classify import OneAnswer
from tests.unit.test_model_events import event, said

TEA = b'{"product_id": "a", "title": "tea"}'


def stage(producer: AsyncMock, *, sample: float = 1, behind_s: float = 60) -> ShadowStage:
    """A stage on the scripted model."""
    return ShadowStage(Inference(OneAnswer(), deadline_s=5), producer, ShadowRules(sample, behind_s))


def now_ms(ago_s: float = 0) -> int:
    """A record's time."""
    return int((time() - ago_s) * 1000)


def count(outcome: str) -> float:
    """How many products had this outcome."""
    return float(SHADOW_PRODUCTS.labels(outcome=outcome)._value.get())


def test_the_sample_is_a_share_of_the_events_and_always_the_same() -> None:
    """A tenth within chance; a smaller share is a part of a larger one; another worker takes the same events."""
    ids = [str(uuid4()) for _ in range(20_000)]
    tenth = {one for one in ids if is_sampled(one, 0.1)}
    assert 1_700 < len(tenth) < 2_300  # seven standard deviations
    assert tenth < {one for one in ids if is_sampled(one, 0.3)}
    assert ids == [one for one in ids if is_sampled(one, 1)]
    assert [False, True] == [is_sampled("0b8e0000-0000-4000-8000-000000000001", share) for share in (0.24, 0.25)]


async def test_what_the_model_says_goes_to_its_own_topic_alone() -> None:
    """A product is scored; one that breaks the model and one that is none are counted; there is no dead letter."""
    producer = AsyncMock()
    some = stage(producer)
    records = [
        record(TEA, offset=1, timestamp_ms=now_ms()),
        record(b"nonsense", offset=2, timestamp_ms=now_ms()),
        record(b'{"product_id": "b", "title": "poison"}', offset=3, timestamp_ms=now_ms()),
    ]
    before = {outcome: count(outcome) for outcome in ("scored", "invalid", "failed")}
    await some.deliver(await some.work(some.decode(records)))

    ((topic, published),) = [call.args for call in producer.deliver.await_args_list]
    assert "shadow.out" == topic
    (answer,) = published
    score = ShadowPrediction.model_validate_json(answer.value)
    assert (id_of(records[0]), "a", "1", 0.5) == (
        *(score.event_id, score.product_id),
        *(score.category.code, score.confidence),
    )
    assert (EVENT_ID, score.event_id.encode()) in answer.headers
    assert [1, 1, 1] == [count(outcome) - was for outcome, was in before.items()]


async def test_it_drops_behind_and_says_so_once() -> None:
    """What is too old goes past without being asked of the model; the log has its beginning, its end and its number."""
    producer = AsyncMock()
    some = stage(producer)
    with capture_logs() as lines:
        for _ in range(3):
            old = [record(TEA, offset=number, timestamp_ms=now_ms(120)) for number in range(5)]
            assert [] == some.decode(old)
        assert 1 == len(some.decode([record(TEA, timestamp_ms=now_ms(30))]))
    assert [("behind: what is too old goes past unscored", None), ("caught up", 15)] == [
        (line["event"], line.get("went_past")) for line in lines
    ]


async def test_nothing_is_published_of_a_batch_without_a_product() -> None:
    """An empty sample asks nobody and sends nothing; nor does what ended the process again and again."""
    producer = AsyncMock()
    some = stage(producer, sample=1e-9)
    await some.deliver(await some.work(some.decode([record(TEA, timestamp_ms=now_ms())])))
    await some.deliver(some.condemn([record(None)], 4))
    producer.deliver.assert_not_awaited()


async def test_an_answer_is_kept_by_event_and_version() -> None:
    """The earliest of an event and version stays, in any order; another version has a document of its own."""
    producer = AsyncMock()
    some = stage(producer)
    await some.deliver(await some.work(some.decode([record(TEA, timestamp_ms=now_ms())])))
    score = ShadowPrediction.model_validate_json(producer.deliver.await_args.args[1][0].value)
    later = score.model_copy(update={"scored_at": score.scored_at.replace(year=2090), "confidence": 0.1})
    other = score.model_copy(update={"model": score.model.model_copy(update={"version": "2"})})
    first, second = shadow_upserts(Writes(shadow=[later, score, other, later]).shadow)

    assert [f"{score.event_id}/1", f"{score.event_id}/2"] == [one._filter["_id"] for one in (first, second)]
    assert isinstance(first._doc, dict)
    kept = first._doc["$min"]["score"]
    assert (score.scored_at, 0.5) == (kept["scored_at"], kept["confidence"])
    assert "scored_at" == next(iter(kept))  # it orders the document


async def test_the_challenger_is_the_last_that_was_put_there_and_never_the_champion() -> None:
    """Put, replaced, taken back, promoted; and the champion's decisions are read as ever."""
    champion, tried, other = (
        event("a", 1),
        event("b", 1, alias="challenger"),
        event("c", 1, alias="challenger", name="foods"),
    )
    challenger, seen = Challenger(), []
    state = challenger.begin(1)
    for one in (
        said(tried),
        said(champion),
        said(other),
        said(None, "aisle/challenger"),  # of another name: says nothing of this one
        said(None, "foods/challenger"),
        said(tried),
        said(event("b", 2, "a")),
        said(event("a", 3, "b")),
        said(b"nonsense", "aisle/challenger"),
    ):
        challenger.take(one, state)
        challenger.put(state)
        seen.append(now.model.version if (now := challenger.now()) else None)

    assert ["b", "b", "c", "c", None, "b", None, "b", "b"] == seen
    assert champion.model == event("a", 3, "b").model == (state.champion and state.champion.model)
    await challenger.other_than(None)
    await challenger.other_than(tried, within_s=0.01)  # the time is over
