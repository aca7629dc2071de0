"""Asking the model: poison, a broken model and a model that hangs are told apart."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.bundle import Labels, Manifest
from model.cascade import Cascade
from model.classifier import Classification, Classifier, Photo
from model.fusion import Pool
from model.held_out import subsets
from model.rows import MODALITIES, Rows
from model.stages import LogProbabilities
from schemas.prediction import Category, Modality, ModelRef
from schemas.product import Product
from streams.errors import ModelFailed, ModelHung
from streams.inference import Inference


class ScriptedModel:
    """A model that fails on marked titles, on everything, or never answers."""

    def __init__(self, *, broken: bool = False, hangs: threading.Event | None = None) -> None:
        self.ref = ModelRef(name="scripted", version="1")
        self.reads_photos = False
        self.batches: list[int] = []
        self._broken = broken
        self._hangs = hangs

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:  # noqa: ARG002
        """One answer a product, whose label is its title."""
        self.batches.append(len(products))
        if self._hangs is not None:
            self._hangs.wait(30)
        if self._broken or any(product.title == "poison" for product in products):
            raise ValueError("no tensor for this")
        return [answer(product.title or "") for product in products]


def answer(label: str) -> Classification:
    """A classification with that label."""
    category = Category(code=label, label=label)
    return Classification(category, 1.0, [], needs_review=False, decided_by="fast", modalities=["title"], notes=[])


def products(*titles: str) -> list[Product]:
    """Products of these titles."""
    return [Product(product_id=str(number), title=title) for number, title in enumerate(titles)]


async def test_a_good_batch_is_one_call() -> None:
    """No bisection and no health check when all goes well."""
    model = ScriptedModel()
    answers = await Inference(model, deadline_s=5).classify(products("a", "b", "c"))
    assert ["a", "b", "c"] == [one.category.label for one in answers if not isinstance(one, Exception)]
    assert [3] == model.batches


async def test_an_empty_batch_asks_nothing() -> None:
    """A fetch of nothing but dead letters does not reach the model."""
    model = ScriptedModel()
    assert [] == await Inference(model, deadline_s=5).classify([])
    assert [] == model.batches


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
async def test_poison_fails_alone(poisoned: list[bool]) -> None:
    """Wherever poison events are in a batch, they fail and all others are answered, each with its own answer."""
    titles = ["poison" if bad else str(number) for number, bad in enumerate(poisoned)]

    answers = await Inference(ScriptedModel(), deadline_s=5).classify(products(*titles))

    assert poisoned == [isinstance(one, ValueError) for one in answers]
    answered = [one.category.label for one in answers if not isinstance(one, Exception)]
    assert [title for title in titles if title != "poison"] == answered


async def test_one_poison_costs_few_calls() -> None:
    """Bisection needs about two calls a halving, not one an event."""
    model = ScriptedModel()
    await Inference(model, deadline_s=5).classify(products(*(["a"] * 200), "poison", *(["a"] * 55)))
    assert len(model.batches) <= 2 * 8 + 2


async def test_a_broken_model_blames_no_event() -> None:
    """When a harmless product fails too, the model is at fault and nothing becomes a dead letter."""
    with pytest.raises(ModelFailed):
        await Inference(ScriptedModel(broken=True), deadline_s=5).classify(products("a", "b"))


async def test_a_model_that_hangs_is_given_up() -> None:
    """A call beyond its deadline is an error at once, without bisection."""
    release = threading.Event()
    model = ScriptedModel(hangs=release)
    try:
        with pytest.raises(ModelHung):
            await Inference(model, deadline_s=0.05).classify(products("a", "b"))
        assert [2] == model.batches
    finally:
        release.set()


class Fragile:
    """A stage that is rather sure of the first of two classes, and breaks on one title."""

    reads: frozenset[Modality] = frozenset({"title"})

    def __init__(self, name: str, poison: str) -> None:
        self.name = name
        self._poison = poison

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """The same for all."""
        if self._poison in rows.titles:
            raise ValueError("no tensor for this")
        answers: LogProbabilities = np.log(np.full((len(rows), 2), [0.6, 0.4])).astype(np.float32)
        return answers


def fragile() -> Classifier:
    """Two stages, of which each breaks on a title of its own."""
    pools = [
        Pool(modalities=shown, stages=stages, weights=(1.0,) * len(stages), stop_at=0.9)
        for shown in subsets(frozenset(MODALITIES))
        for stages in (("text",), ("text", "encoder"))
    ]
    construct: Any = Manifest.model_construct
    manifest = construct(
        name="fragile",
        version="1",
        stages=["text", "encoder"],
        categories=[Labels(code=code, labels={"": code}) for code in "ab"],
        review_threshold=0.5,
    )
    stages = [Fragile("text", "poison"), Fragile("encoder", "half a poison")]
    return Classifier(manifest, Cascade(stages, pools, [0.5, 0.5]))


async def test_only_what_no_stage_answers_is_poison() -> None:
    """The first stage's failure isolates the product; a later one's is a note on the answer that there is."""
    titles = ["a"] * 20 + ["poison"] + ["b"] * 20 + ["half a poison"] + ["c"] * 20

    answers = await Inference(fragile(), deadline_s=5).classify(products(*titles))

    assert [title == "poison" for title in titles] == [isinstance(one, ValueError) for one in answers]
    answered = [one for one in answers if isinstance(one, Classification)]
    assert 1 == sum(one.decided_by == "text" for one in answered)
    (half,) = [one for one in answered if one.notes]
    assert ("text", ["encoder could not answer, and was left out: ValueError: no tensor for this"]) == (
        half.decided_by,
        half.notes,
    )


async def test_another_model_takes_over_between_two_batches() -> None:
    """A batch is one model's, however many calls it takes; who asks for the change waits for it."""
    former, later = ScriptedModel(), ScriptedModel()
    later.ref = ModelRef(name="scripted", version="2")
    inference = Inference(former, deadline_s=5)
    async with inference.batch() as model:
        change = asyncio.create_task(inference.swap(later))
        for _ in range(2):
            await inference.classify(products("a"))
        assert (former.ref, False) == (model, change.done())
    await change
    async with inference.batch() as model:
        await inference.classify(products("a"))
    assert (later.ref, [1, 1], [1]) == (model, former.batches, later.batches)
