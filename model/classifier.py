"""The classifier as the streams see it: products in, categories with calibrated confidence out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import TEXT_STAGE, Manifest, verify
from model.data.cleaning import clean_description, clean_title
from model.errors import GoldenMismatch, ProbabilityInvalid
from model.text.stage import TextStage
from schemas.prediction import Category, Modality, ModelRef
from schemas.product import Product

TOP: Final = 5
"""Categories named with each answer."""

NO_IMAGE_STAGE: Final = "image not used: this model has no image stage"
GOLDEN_TOLERANCE: Final = 1e-4
"""Probabilities differ by less than 1e-6 between processors; more than this is another model."""

_PRIOR: Final = "prior"
_USED: Final[dict[tuple[bool, bool], tuple[Modality, ...]]] = {
    (True, True): ("title", "description"),
    (True, False): ("title",),
    (False, True): ("description",),
    (False, False): (),
}
_WARM_ROWS = (1, 32, 256)  # the first calls at a size also grow TensorFlow's buffers and thread pool


@dataclass(slots=True)  # frozen would cost a microsecond an answer
class Classification:
    """The answer to one product; the fields mean what those of :class:`schemas.prediction.Prediction` do.

    It is plain Python, as one is made for every event: its JSON is made, and held to the contract, in
    `streams.encode`.

    Args:
        top: The likeliest categories with their calibrated probabilities, likeliest first.
    """

    category: Category
    confidence: float
    top: Sequence[tuple[Category, float]]
    needs_review: bool
    decided_by: str
    modalities: Sequence[Modality]
    notes: Sequence[str]


class Classifier:
    """A bundle in service. Calls block and are meant for one thread beside the event loop.

    Args:
        manifest: The bundle's manifest.
        stage: Its text stage, loaded.
        language: Language of the labels, where the taxonomy has it.
    """

    def __init__(self, manifest: Manifest, stage: TextStage, language: str = "en") -> None:
        self.ref: ModelRef = manifest.ref
        self.manifest = manifest
        self._stage = stage
        self._categories = [entry.category(language) for entry in manifest.categories]
        self._prior = np.array(manifest.prior, np.float32)
        self._threshold = manifest.review_threshold

    @classmethod
    def load(cls, bundle: Path, *, language: str = "en") -> "Classifier":
        """Load a bundle: check every file, import TensorFlow, check the golden answers, warm up.

        Raises:
            BundleInvalid: The path is no bundle, or a file of it is missing or changed.
            GoldenMismatch: The network answers otherwise than when it was trained.
        """
        manifest = verify(bundle)
        stage = TextStage(bundle / TEXT_STAGE)
        check_golden(manifest, stage, bundle)
        for rows in _WARM_ROWS:
            stage.probabilities(["warm up"] * rows, [""] * rows)
        return cls(manifest, stage, language)

    def classify(self, products: Sequence[Product]) -> list[Classification]:
        """Classify a batch of any size; the answers are in the products' order.

        A product without a usable text gets the shares of the training set as its probabilities, and goes to
        review.

        Raises:
            ProbabilityInvalid: The network answers some product with what is not a number.
        """
        if not products:
            return []
        titles = [clean_title(product.title) for product in products]
        descriptions = [clean_description(product.description) for product in products]
        probabilities = self._stage.probabilities(titles, descriptions)
        blind = [row for row, text in enumerate(zip(titles, descriptions, strict=True)) if text == ("", "")]
        probabilities[blind] = self._prior
        ranks, shares = _top(probabilities)
        return [
            self._answer(*row)
            for row in zip(products, titles, descriptions, ranks.tolist(), shares.tolist(), strict=True)
        ]

    def _answer(
        self, product: Product, title: str, description: str, ranks: list[int], shares: list[float]
    ) -> Classification:
        categories = self._categories
        used = _USED[bool(title), bool(description)]
        return Classification(
            categories[ranks[0]],
            shares[0],
            list(zip([categories[rank] for rank in ranks], shares, strict=True)),
            not used or shares[0] < self._threshold,
            TEXT_STAGE if used else _PRIOR,
            used,
            _notes(product, title, description),
        )


def _notes(product: Product, title: str, description: str) -> list[str]:
    notes = []
    if not title and product.title is not None:
        notes.append("title not used: nothing is left of it without its markup")
    if not description and product.description is not None:
        notes.append("description not used: nothing is left of it without its markup")
    if product.image is not None:
        notes.append(NO_IMAGE_STAGE)
    return notes


def _top(probabilities: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Indices and probabilities [rows, up to TOP] of the likeliest classes, likeliest first.

    Raises:
        ProbabilityInvalid: Some probability is not a number.
    """
    if not np.isfinite(probabilities).all():
        raise ProbabilityInvalid("The network's answer is not a number.")
    count = min(TOP, probabilities.shape[1])
    best = np.argpartition(-probabilities, count - 1, axis=1)[:, :count]
    shares = np.take_along_axis(probabilities, best, axis=1)
    order = np.argsort(-shares, axis=1, kind="stable")
    # Rounding may leave a certain answer a hair above 1, which the contract does not allow.
    return np.take_along_axis(best, order, axis=1), np.clip(np.take_along_axis(shares, order, axis=1), 0.0, 1.0)


def check_golden(manifest: Manifest, stage: TextStage, bundle: Path) -> None:
    """Refuse a network that answers otherwise than when it was trained.

    Raises:
        GoldenMismatch: Some probability differs by more than ``GOLDEN_TOLERANCE``.
    """
    expected = np.array([golden.probabilities for golden in manifest.golden])
    titles = [clean_title(golden.title) for golden in manifest.golden]
    descriptions = [clean_description(golden.description) for golden in manifest.golden]
    found = stage.probabilities(titles, descriptions)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=GOLDEN_TOLERANCE):
        raise GoldenMismatch(
            f"The bundle {bundle} does not answer its golden inputs as it did when it was trained.",
            hint="Check the TensorFlow version against the manifest's, or train anew.",
        )
