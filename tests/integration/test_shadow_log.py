"""What both models said of a product, out of a real store, and who goes into service by it."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from infra.images import ImageStore
from infra.model_events import Standing
from infra.settings import Settings
from infra.store import ITEMS, Store
from model.shadow import Pair
from model.shelves import TaxonomyInForce
from schemas.model_event import CHALLENGER
from schemas.prediction import Category, ModelRef
from schemas.shadow import ShadowPrediction
from schemas.topics import SHADOW_OUT
from streams.archive import ArchiveStage
from tests.bundles import AT
from tests.records import record
from tests.unit.test_model_events import event
from workers import shadow
from workers.promotion import InForce
from workers.shadow import promote_better, shadow_pairs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Answers:
    """Products with the champion's answer, teas all, and what a challenger said in its shadow."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.scores: list[ShadowPrediction] = []
        self.items: list[dict[str, Any]] = []

    def add(self, said: str, verdict: dict[str, Any] | None = None, *, by: str = "text", of: str = "b") -> None:
        """One more; the challenger is version ``b``."""
        identity = str(uuid4())
        at = AT + timedelta(seconds=len(self.items))
        prediction = {"category": {"code": "teas"}, "confidence": 0.5, "decided_by": by, "model": {"version": "a"}}
        item = {"_id": identity, "prediction": prediction | {"classified_at": at}}
        self.items.append(item if verdict is None else item | {"verdict": {"at": at} | verdict})
        category = Category(code=said, label=said)
        self.scores.append(
            ShadowPrediction(
                event_id=identity,
                product_id="p",
                category=category,
                confidence=0.75,
                top=[],
                needs_review=False,
                decided_by="text",
                model=ModelRef(name="aisle", version=of),
                scored_at=at,
            )
        )

    async def write(self, tmp_path: Path) -> None:
        """Bring them to the store, the shadow's by the archive, twice and in disorder."""
        stage = ArchiveStage(self.store, ImageStore(tmp_path), Mock(spec=[]), 5, Mock(spec=TaxonomyInForce))
        values = [score.model_dump_json(exclude_none=True).encode() for score in self.scores]
        records = [record(value, topic=SHADOW_OUT) for value in [*values[::-1], *values, b"nonsense"]]
        await stage.deliver(await stage.work(stage.decode(records)))
        await self.store.collection(ITEMS).insert_many(self.items)


async def test_only_products_that_both_models_answered_are_compared(store: Store, tmp_path: Path) -> None:
    """A person's word is the truth where there is one; what a person had decided before is out, and others' answers."""
    answers = Answers(store)
    answers.add("soups")
    answers.add("teas", {"verdict": "validated"})
    answers.add("soups", {"verdict": "corrected", "code": "soups"})
    answers.add("milks", {"verdict": "rejected"})
    answers.add("teas", by="reviewer")
    answers.add("teas", of="another")
    answers.items.append({"_id": str(uuid4()), "product": {"title": "not classified yet"}})
    await answers.write(tmp_path)

    found = {(pair.challenger, pair.truth, pair.judged_at) for pair in await shadow_pairs(store, "a", "b")}
    assert {
        ("soups", None, None),
        ("teas", "teas", AT + timedelta(seconds=1)),
        ("soups", "soups", AT + timedelta(seconds=2)),
        ("milks", None, None),
    } == found
    assert [] == await shadow_pairs(store, "c", "b")
    assert [] == await shadow_pairs(store, "a", "nobody")
    (pair,) = await shadow_pairs(store, "a", "another")
    assert Pair("teas", "teas", 0.5, 0.75) == pair


async def test_a_challenger_that_is_better_goes_into_service_if_it_may(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its verdicts, in place of the champion that it was compared with; never unless the settings say so."""
    answers, promoted = Answers(store), Mock()
    monkeypatch.setattr(shadow, "promote_bundle", promoted)
    for _ in range(10):
        answers.add("soups", {"verdict": "corrected", "code": "soups"})
    await answers.write(tmp_path)
    standing = Standing(champion=event("a", 1), challenger=event("b", 1, alias=CHALLENGER))
    now = InForce(standing.champion, {}, challenger=standing.tried)

    assert not await promote_better(Settings(data_dir=tmp_path), store, now)
    assert not await promote_better(Settings(data_dir=tmp_path, shadow_promote_after=11), store, now)
    assert not await promote_better(Settings(data_dir=tmp_path, shadow_promote_after=10), store, InForce(now.event, {}))
    promoted.assert_not_called()
    assert await promote_better(Settings(data_dir=tmp_path, shadow_promote_after=10), store, now)
    assert (tmp_path / "models" / "b", "a") == (promoted.call_args.args[1], promoted.call_args.kwargs["expected"])
    assert "it alone is right on 10" in promoted.call_args.kwargs["why"]
