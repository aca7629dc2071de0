"""Asking the model: poison, a broken model and a model that hangs are told apart."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classification, Photo
from schemas.prediction import Category, ModelRef
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
