"""Fine-tuning: every weight learns, until the validation part gains no more. Importing this imports TensorFlow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.encoder.network import Tensor
from model.encoder.optimisation import Optimisation
from model.encoder.stage import EncoderStage
from model.encoder.tokens import Texts
from model.fusion import fit_weights, pooled
from model.stages import LogProbabilities, Progress, Truth
from model.tensorflow import tensorflow

tf = tensorflow()


@dataclass(frozen=True)
class Lessons:
    """What is to be learned.

    Args:
        texts: The rows' tokens.
        targets: The probabilities to learn, [rows, classes].
        truth: Class index of each row.
        train: Row numbers to learn from.
        validation: Row numbers to measure with.
    """

    texts: Texts
    targets: NDArray[np.float32]
    truth: Truth
    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def fine_tune(  # noqa: PLR0913 - what a fit decides
    stage: EncoderStage,
    lessons: Lessons,
    *,
    epochs: int,
    patience: int,
    rate: float,
    rng: np.random.Generator,
    progress: Progress,
) -> list[float]:
    """Train a stage's whole network, and leave it with the weights that did best on the validation part.

    Args:
        stage: The stage, whose network changes.
        lessons: What is to be learned.
        epochs: Most passes.
        patience: Passes without gain before it ends.
        rate: The learning rate.
        rng: Of the order.
        progress: Told which part is done.

    Returns:
        The mean loss of each pass.
    """
    network = stage.network
    texts, targets = lessons.texts.take(lessons.train), lessons.targets[lessons.train]
    steps = epochs * sum(1 for _ in stage.tokens.batches(texts))

    def loss(ids: Tensor, segments: Tensor, mask: Tensor, wanted: Tensor) -> Tensor:
        scores = network(ids, segments, mask, training=True)
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=scores))

    optimisation = Optimisation(network.trainable_variables, loss, rate=rate, steps=steps)
    best = Best(stage)
    done, means = 0, []
    for _ in range(epochs):
        losses = []
        for batch in stage.tokens.batches(texts, rng):
            losses.append(optimisation.step(batch.ids, batch.segments, batch.mask, targets[batch.rows]))
            done += 1
            progress(done / steps)
        means.append(float(np.mean(losses)))
        best.see(lessons)
        if best.age >= patience:
            break
    best.restore()
    progress(1.0)
    return means


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
    sharpness = fit_weights([found], truth)
    sure = pooled([found], sharpness)[np.arange(len(truth)), truth]
    return sharpness[0], float(-np.log(np.maximum(sure, 1e-12)).mean())


def sharpen(stage: EncoderStage, sharpness: float) -> None:
    """Make a sharpness part of the classes' layer."""
    for weight in (stage.network.head.kernel, stage.network.head.bias):
        weight.assign(weight * sharpness)
