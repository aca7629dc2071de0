"""A model with spans for what it does with a batch."""

from collections.abc import Sequence

from infra.tracing.steps import step
from model.bundle import Manifest
from model.cascade import Cascade
from model.classifier import Classification, Classifier, Photo
from model.rows import Rows
from model.stages import LogProbabilities, Stage
from schemas.prediction import Modality
from schemas.product import Product
from streams.classify import Classified
from streams.traced.batch import Batch


class TracedClassifier(Classifier):
    """A classifier with a span for each call, and below it for the preprocessing and each stage that is asked.

    Args:
        manifest: The bundle's manifest.
        cascade: Its stages, loaded.
        language: Language of the labels, where the taxonomy has it.
    """

    def __init__(self, manifest: Manifest, cascade: Cascade, language: str = "en") -> None:
        super().__init__(manifest, cascade, language)
        cascade.stages = [TracedNetwork(stage) for stage in cascade.stages]

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:
        """As any classifier does."""
        with step("classify", {"aisle.rows": len(products), "aisle.model.version": self.ref.version}):
            return super().classify(products, photos)

    def rows(self, products: Sequence[Product], photos: Sequence[Photo]) -> Rows:
        """As any classifier does."""
        with step("preprocess", {"aisle.rows": len(products)}):
            return super().rows(products, photos)


class TracedNetwork:
    """A stage of a cascade with a span for each call.

    Args:
        stage: What it is put around.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def name(self) -> str:
        """The stage's name."""
        return self._stage.name

    @property
    def reads(self) -> frozenset[Modality]:
        """What the stage reads."""
        return self._stage.reads

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """As the stage does."""
        with step(f"stage {self.name}", {"aisle.rows": len(rows)}):
            return self._stage.log_probabilities(rows)


def tell_answers(batch: Batch, results: Classified) -> None:
    """Note in the events' spans what the model said."""
    for one, answer in zip(results.received, results.answers, strict=True):
        span = batch.events.get(one.event_id)
        if span is None or isinstance(answer, Exception):
            continue
        span.set_attributes(
            {
                "aisle.category": answer.category.code,
                "aisle.confidence": round(answer.confidence, 4),
                "aisle.decided_by": answer.decided_by,
                "aisle.needs_review": answer.needs_review,
                "aisle.model.version": results.model.version,
            }
        )
