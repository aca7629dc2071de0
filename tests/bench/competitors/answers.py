"""The same work for everybody: aisle's own functions that validate a record and make its answer."""

from collections.abc import Coroutine, Sequence
from typing import Any, Final, cast

from infra.kafka.producer import OutRecord, Producer
from model.classifier import Classification, Photo
from schemas.prediction import Category, ModelRef
from schemas.product import Product
from streams.classify import ClassifyStage, Outbox
from streams.inference import Inference, ProductClassifier
from streams.loading import load
from tests.bench.competitors.task import Task

_DEADLINE_S: Final = 60.0
_LABELS: Final = ("Snacks", "Boissons", "Conserves", "Surgelés", "Petit-déjeuners")


class NoModel:
    """Answers everything alike, in the shape and size that the first stage's answers have."""

    ref = ModelRef(name="none", version="20260101-000000-00000000")
    reads_photos = False

    def __init__(self) -> None:
        categories = [Category(code=label, label=label) for label in _LABELS]
        self._answer = Classification(
            category=categories[0],
            confidence=0.8125391244888306,
            top=[(one, 0.8125391244888306 / 2**rank) for rank, one in enumerate(categories)],
            needs_review=False,
            decided_by="text-ngrams",
            modalities=["title", "description"],
            notes=[],
        )

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:  # noqa: ARG002
        """One answer a product."""
        return [self._answer] * len(products)


class Direct(Inference):
    """Calls the model where it stands: for programs that have no loop to keep free."""

    async def classify(
        self, products: Sequence[Product], photos: Sequence[Photo] = ()
    ) -> list[Classification | Exception]:
        """The answers, at once."""
        return list(self.classifier.classify(products, photos))


def load_classifier(task: Task) -> ProductClassifier:
    """The model that the task is measured with."""
    if task.mode != "classify":
        return NoModel()
    assert task.bundle is not None
    return load(task.bundle, "en")


class Answers:
    """Validates records and makes what is to be published.

    Args:
        task: Says with which model.
    """

    def __init__(self, task: Task) -> None:
        self._stage = ClassifyStage(Direct(load_classifier(task), _DEADLINE_S), cast(Producer, None))

    def to(self, records: Sequence[Any]) -> list[OutRecord]:
        """The answer to each record, on its partition."""
        outbox: Outbox = self._stage.encode(_run(self._stage.work(self._stage.decode(records))))
        assert not outbox.dead_letters
        return outbox.predictions


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the work waited for something")
