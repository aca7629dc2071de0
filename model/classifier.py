"""The classifier as the streams see it: products in, categories with calibrated confidence out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import Manifest, verify
from model.cascade import Cascade
from model.errors import BundleInvalid, ProbabilityInvalid
from model.golden import check_golden
from model.kinds import LOADERS
from model.rows import MODALITIES, Rows
from schemas.prediction import Category, Modality, ModelRef
from schemas.product import Product

TOP: Final = 5
"""Categories named with each answer."""

NO_IMAGE_STAGE: Final = "image not used: this model has no image stage"

Photo = bytes | str | None
"""A product's photo: its checked content, why it cannot be used, or None where there is none."""

_PRIOR: Final = "prior"
_USED: Final[list[tuple[Modality, ...]]] = [
    tuple(modality for bit, modality in enumerate(MODALITIES) if kind >> bit & 1)
    for kind in range(1 << len(MODALITIES))
]
_BITS = np.array([1, 2, 4])  # of the modalities, in their order
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
        cascade: Its stages, loaded.
        language: Language of the labels, where the taxonomy has it.
    """

    def __init__(self, manifest: Manifest, cascade: Cascade, language: str = "en") -> None:
        self.ref: ModelRef = manifest.ref
        self.manifest = manifest
        self.cascade = cascade
        self.reads_photos = any("image" in stage.reads for stage in cascade.stages)
        self._categories = [entry.category(language) for entry in manifest.categories]
        self._threshold = manifest.review_threshold
        self._deciders = [*manifest.stages, _PRIOR]  # the last stands at PRIOR, which is -1

    @classmethod
    def load(cls, bundle: Path, *, language: str = "en") -> "Classifier":
        """Load a bundle: check every file, import TensorFlow, check the golden answers, warm up.

        Raises:
            BundleInvalid: The path is no bundle, or a file of it is missing or changed.
            GoldenMismatch: A network answers otherwise than when it was trained.
        """
        manifest, cascade = load_cascade(bundle)
        for rows in _WARM_ROWS:
            cascade.answer(Rows(["warm up"] * rows, [""] * rows))
        return cls(manifest, cascade, language)

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:
        """Classify a batch of any size; the answers are in the products' order.

        A product of which no stage can read anything gets the shares of the training set as its probabilities,
        and goes to review.

        Args:
            products: What to classify.
            photos: Of each; none at all where nobody looked for any.

        Raises:
            ProbabilityInvalid: A network answers some product with what is not a number.
            Exception: What a stage raises on a product that no other has answered; a later one's failure is a note.
        """
        if not products:
            return []
        rows = self.rows(products, photos)
        answers = self.cascade.answer(rows)
        ranks, shares = _top(answers.probabilities)
        columns = ranks.tolist(), shares.tolist(), answers.stage.tolist(), (answers.used @ _BITS).tolist()
        notes = map(self._notes, products, rows.titles, rows.descriptions, photos or repeat(None))
        found = [self._answer(*row) for row in zip(*columns, notes, strict=False)]
        for row, why in answers.failed.items():
            left_out = [f"{stage} could not answer, and was left out: {reason}" for stage, reason in why.items()]
            found[row].notes = [*found[row].notes, *left_out]
        return found

    def rows(self, products: Sequence[Product], photos: Sequence[Photo]) -> Rows:
        """What the stages are asked about: the products' cleaned texts, and their photos."""
        return Rows.of(products, [one if isinstance(one, bytes) else None for one in photos])

    def _answer(self, ranks: list[int], shares: list[float], stage: int, used: int, notes: list[str]) -> Classification:
        categories = self._categories
        return Classification(
            categories[ranks[0]],
            shares[0],
            list(zip([categories[rank] for rank in ranks], shares, strict=True)),
            not used or shares[0] < self._threshold,
            self._deciders[stage],
            _USED[used],
            notes,
        )

    def _notes(self, product: Product, title: str, description: str, photo: Photo) -> list[str]:
        notes = []
        if not title and product.title is not None:
            notes.append("title not used: nothing is left of it without its markup")
        if not description and product.description is not None:
            notes.append("description not used: nothing is left of it without its markup")
        if product.image is not None:
            if not self.reads_photos:
                notes.append(NO_IMAGE_STAGE)
            elif not isinstance(photo, bytes):
                notes.append(f"image not used: {photo or 'nobody has read it'}")
        return notes


def load_cascade(bundle: Path) -> tuple[Manifest, Cascade]:
    """A bundle's stages, checked to answer as they did when they were trained.

    Raises:
        BundleInvalid: The path is no bundle, or a file of it is missing or changed.
        GoldenMismatch: A network answers otherwise than when it was trained.
    """
    manifest = verify(bundle)
    if unknown := [name for name in manifest.stages if name not in LOADERS]:
        raise BundleInvalid(f"The bundle {bundle} has a stage {unknown[0]!r} that this aisle does not know.")
    stages = [LOADERS[name](bundle / name) for name in manifest.stages]
    check_golden(manifest, stages, bundle)
    return manifest, Cascade(stages, manifest.pools, manifest.prior, manifest.offsets)


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
