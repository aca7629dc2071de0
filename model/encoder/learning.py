"""Fine-tuning: every weight learns, until the validation part gains no more. Importing this imports TensorFlow."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.encoder.network import Tensor
from model.encoder.optimisation import Optimisation
from model.encoder.stage import EncoderStage
from model.encoder.tokens import Texts
from model.encoder.weights import Floats
from model.fusion import fit_weighing, pooled, softmax
from model.stages import LogProbabilities, Progress, Truth
from model.tensorflow import tensorflow

tf = tensorflow()

TEMPERATURE: Final = 2.0
"""At which a teacher is heard: it says more of the categories that a row is not in."""


@dataclass(frozen=True)
class Lessons:
    """What is to be learned.

    Args:
        texts: The rows' tokens.
        truth: Class index of each row; below 0 where it is not known.
        train: Row numbers to learn from.
        validation: Row numbers to measure with.
        taught: What a teacher makes of the rows, [rows, classes]; None: there is none.
        weight: Share of the teacher in the loss.
    """

    texts: Texts
    truth: Truth
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    taught: LogProbabilities | None = None
    weight: float = 0.0


def fine_tune(  # noqa: PLR0913 - what a fit decides
    stage: EncoderStage,
    lessons: Lessons,
    *,
    epochs: int,
    patience: int,
    rate: float,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Train a stage's whole network, and leave it with the weights that did best on the validation part.

    The loss is (1 - w) CE(truth, p) + w T^2 KL(q, p), with the teacher's and the network's answers q and p in the
    second term at temperature T (Hinton et al. 2015). A row without a label has the second term alone.

    Args:
        stage: The stage, whose network changes.
        lessons: What is to be learned.
        epochs: Most passes.
        patience: Passes without gain before it ends.
        rate: The learning rate.
        rng: Of the order.
        progress: Told which part is done.
    """
    network = stage.network
    texts = lessons.texts.take(lessons.train)
    truth, taught = _targets(lessons, stage.classes)
    steps = epochs * sum(1 for _ in stage.tokens.batches(texts))

    def loss(ids: Tensor, segments: Tensor, mask: Tensor, truth: Tensor, taught: Tensor) -> Tensor:
        scores = network(ids, segments, mask, training=True)
        own, soft = (
            tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
            for wanted, logits in ((truth, scores), (taught, scores / TEMPERATURE))
        )
        # The cross-entropy with the teacher is the KL divergence and the teacher's own entropy, which no step changes.
        return tf.reduce_mean((1 - lessons.weight) * own + lessons.weight * TEMPERATURE**2 * soft)

    optimisation = Optimisation(network.trainable_variables, loss, rate=rate, steps=steps)
    best = Best(stage)
    done = 0
    for _ in range(epochs):
        for batch in stage.tokens.batches(texts, rng):
            optimisation.step(batch.ids, batch.segments, batch.mask, truth[batch.rows], taught[batch.rows])
            done += 1
            progress(done / steps)
        best.see(lessons)
        if best.age >= patience:
            break
    best.restore()
    progress(1.0)


def _targets(lessons: Lessons, classes: int) -> tuple[Floats, Floats]:
    """The truth, zeros where it is not known, and the softened answers of the teacher, of the rows to learn from."""
    truth = lessons.truth[lessons.train]
    wanted = (truth[:, None] == np.arange(classes)).astype(np.float32)
    if lessons.taught is None:
        return wanted, np.zeros_like(wanted)
    return wanted, softmax(lessons.taught[lessons.train] / TEMPERATURE).astype(np.float32)


class Best:
    """The weights that did best so far.

    Weights are compared by the surprise at the validation rows after the best temperature: it tells more than
    accuracy does on few rows, and forgives overconfidence, which the temperature cures.
    """

    def __init__(self, stage: EncoderStage) -> None:
        self.age = 0
        self._stage = stage
        self._surprise = np.inf
        self._sharpness = 1.0
        self._weights: list[NDArray[np.float32]] = []

    def see(self, lessons: Lessons) -> None:
        """Measure the stage as it is now. Without validation rows the latest weights are the best."""
        truth = lessons.truth[lessons.validation]
        found = self._stage.of_texts(lessons.texts.take(lessons.validation))
        sharpness, surprise = surprise_of(found, truth)
        self.age += 1
        if surprise < self._surprise or not len(truth):
            self.age, self._surprise, self._sharpness = 0, surprise, sharpness
            self._weights = [weight.numpy() for weight in self._stage.network.trainable_variables]

    def restore(self) -> None:
        """Give the stage those weights, sharpened as fits the validation part."""
        for variable, weight in zip(self._stage.network.trainable_variables, self._weights, strict=True):
            variable.assign(weight)
        sharpen(self._stage, self._sharpness)


def surprise_of(found: LogProbabilities, truth: Truth) -> tuple[float, float]:
    """The best sharpness (inverse temperature) of answers, and the mean of -ln(probability of the truth) with it."""
    if not len(truth):
        return 1.0, np.inf
    fit = fit_weighing([found], truth)
    sure = pooled([found], fit)[np.arange(len(truth)), truth]
    return fit.weights[0], float(-np.log(np.maximum(sure, 1e-12)).mean())


def sharpen(stage: EncoderStage, sharpness: float) -> None:
    """Make a sharpness part of the classes' layer."""
    for weight in (stage.network.head.kernel, stage.network.head.bias):
        weight.assign(weight * sharpness)
