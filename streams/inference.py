"""Runs the model in a thread of its own, with a deadline, and tells a poison event from a broken model."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from itertools import repeat
from typing import Protocol

from model.classifier import Classification, Photo
from schemas.prediction import ModelRef
from schemas.product import Product
from streams.errors import ModelFailed, ModelHung
from streams.isolate import isolate

# A product that every model answers, as it has all that text can have: letters.
_CANARY = Product(product_id="canary", title="canary")


class ProductClassifier(Protocol):
    """What the stream asks of a model; `model.classifier.Classifier` is one."""

    ref: ModelRef

    reads_photos: bool

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:
        """One answer a product, in order; blocks."""


class Inference:
    """Classifies batches off the event loop, one at a time.

    One thread: TensorFlow uses all cores by itself, and two batches at once would only wait for each other.

    Args:
        classifier: The model in service; another may take over, between two batches.
        deadline_s: Longest a call may take, in seconds.
    """

    def __init__(self, classifier: ProductClassifier, deadline_s: float) -> None:
        self.classifier = classifier
        self._deadline_s = deadline_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._in_hand = asyncio.Lock()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[ModelRef]:
        """One model for a whole batch, however many calls it takes: its name and version, for the answers."""
        async with self._in_hand:
            yield self.classifier.ref

    async def swap(self, classifier: ProductClassifier) -> None:
        """Put another model in service, once the batch in hand has been answered by this one."""
        async with self._in_hand:
            self.classifier = classifier

    async def classify(
        self, products: Sequence[Product], photos: Sequence[Photo] = ()
    ) -> list[Classification | Exception]:
        """The answer to each product, or what the model raises on this product alone.

        Args:
            products: What to classify.
            photos: Of each; empty where there is none at all.

        Raises:
            ModelHung: A call exceeded its deadline. The thread cannot be stopped, so the process must end.
            ModelFailed: The model fails on a harmless product too.
        """
        if not products:
            return []
        pairs = list(zip(products, photos or repeat(None), strict=False))
        answers, calls = await isolate(pairs, self._call)
        if calls > 1 or any(isinstance(answer, Exception) for answer in answers):
            await self._require_health()
        return answers

    async def _call(self, pairs: Sequence[tuple[Product, Photo]]) -> Sequence[Classification]:
        products, photos = map(list, zip(*pairs, strict=True))
        loop, within = asyncio.get_running_loop(), copy_context().run  # what is traced there belongs to this batch
        call = loop.run_in_executor(self._thread, within, self.classifier.classify, products, photos)
        done, _ = await asyncio.wait({call}, timeout=self._deadline_s)
        if not done:
            raise _hung(len(pairs), self._deadline_s)
        return call.result()

    async def _require_health(self) -> None:
        try:
            await self._call([(_CANARY, None)])
        except Exception as error:
            raise ModelFailed(
                f"Model {self.classifier.ref.version} fails on a harmless product: {type(error).__name__}: {error}.",
                hint="Roll back, or train anew; nothing was acknowledged.",
            ) from error


def _hung(count: int, deadline_s: float) -> ModelHung:
    return ModelHung(
        f"The model did not answer {count} products within {deadline_s:g} s.",
        hint="AISLE_INFER_DEADLINE_S sets the limit.",
    )
