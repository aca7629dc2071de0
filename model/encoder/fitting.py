"""The fit of the encoder stage: from scratch, from a directory, or of the classes' layer alone.

Importing this module imports TensorFlow.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.encoder.directory import load_directory, new_network
from model.encoder.distillation import Teacher
from model.encoder.head import fit_head
from model.encoder.learning import Lessons, fine_tune
from model.encoder.network import EncoderNetwork
from model.encoder.pretraining import pretrain
from model.encoder.sides import sides
from model.encoder.stage import EncoderStage
from model.encoder.tokens import Texts
from model.encoder.vocabulary import MAX_VOCABULARY, small_config, train_tokenizer
from model.errors import EncoderInvalid
from model.rows import Rows
from model.stages import Progress, Truth

SCRATCH_RATE: Final = 5e-4
"""Learning rate of a network that begins with random weights, and of its pre-training."""

TUNING_RATE: Final = 5e-5
"""Learning rate of one that has learned a language, as its authors advise (2e-5 to 5e-5)."""


@dataclass(frozen=True)
class EncoderOptions:
    """How to train.

    Args:
        max_tokens: Most tokens of a row; the rest is cut off.
        epochs: Most passes over the rows.
        patience: Passes without gain on the validation part before training ends.
        rate: The learning rate; None for the one that fits the beginning.
        frozen: Leave a directory's encoder as it is, and fit the classes' layer alone: seconds, not hours.
        depth: Blocks of a network from scratch.
        width: Values of its vectors.
        vocabulary: Most word pieces of its tokenizer.
        pretraining_epochs: Passes of masked-language pre-training beforehand.
        teacher_weight: Share of the teacher in the loss, where there is one.
        validation_share: Part of the rows that decides when training ends, and the temperature.
    """

    max_tokens: int = 64
    epochs: int = 12
    patience: int = 3
    rate: float | None = None
    frozen: bool = False
    depth: int = 4
    width: int = 256
    vocabulary: int = MAX_VOCABULARY
    pretraining_epochs: int = 0
    teacher_weight: float = 0.7
    validation_share: float = 0.1


def fit(  # noqa: PLR0913 - what there is to learn from, and how
    rows: Rows,
    truth: Truth,
    classes: int,
    *,
    directory: Path | None = None,
    unlabelled: Rows | None = None,
    teacher: Teacher | None = None,
    options: EncoderOptions = EncoderOptions(),
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> EncoderStage:
    """Train an encoder to tell classes.

    Args:
        rows: The rows to learn from.
        truth: Class index of each.
        classes: How many classes there are.
        directory: A Hugging Face directory to begin with; None for a network and tokenizer from scratch.
        unlabelled: More rows, for tokenizer, pre-training and teacher.
        teacher: What knows better, to learn from beside the truth; not asked when the encoder stays frozen.
        options: How to train.
        seed: Of weights, order, masks and dropouts.
        progress: Told which part is done.

    Raises:
        EncoderUnsupported: The directory is of an architecture that has no loader.
        EncoderInvalid: A file of it is missing or damaged, or it cannot be pre-trained.
    """
    rng = np.random.default_rng(seed)
    teacher = None if options.frozen else teacher
    passes = 1 if options.frozen else options.epochs
    told = _told(progress, options.pretraining_epochs, int(teacher is not None), passes)
    if unlabelled is not None:
        rows, truth = _both(rows, unlabelled), np.append(truth, np.full(len(unlabelled), -1))
    stage = _begin(rows, classes, directory, options, rng)
    texts = stage.tokens.of(rows)
    rate = options.rate or (SCRATCH_RATE if directory is None else TUNING_RATE)
    if options.pretraining_epochs:
        _pretrain(stage, texts, options.pretraining_epochs, rate, rng, told[0])
    train, validation = sides(rows, truth, options.validation_share, seed)
    if options.frozen:
        labelled = truth >= 0
        features = stage.features(texts.take(np.flatnonzero(labelled)), told[2])
        fit_head(stage, features, truth[labelled], train, validation)
        return stage
    taught = None
    if teacher is not None:
        learned = np.full_like(truth, -1)
        learned[train] = truth[train]
        taught = teacher(rows, learned, classes, seed=seed, progress=told[1])
        train = np.append(train, np.flatnonzero(truth < 0))
    lessons = Lessons(texts, truth, train, validation, taught, 0.0 if taught is None else options.teacher_weight)
    fine_tune(stage, lessons, epochs=options.epochs, patience=options.patience, rate=rate, rng=rng, progress=told[2])
    return stage


def _begin(
    rows: Rows, classes: int, directory: Path | None, options: EncoderOptions, rng: np.random.Generator
) -> EncoderStage:
    network: EncoderNetwork
    if directory is not None:
        loaded = load_directory(directory, classes, rng)
        network, tokenizer, config = loaded.network, loaded.tokenizer, loaded.config
    else:
        tokenizer = train_tokenizer(rows, options.max_tokens, options.vocabulary)
        config = small_config(tokenizer, options.max_tokens, depth=options.depth, width=options.width)
        network = new_network(config, classes, rng)
    return EncoderStage(network, tokenizer, config, min(options.max_tokens, network.encoder.shape.max_tokens))


def _pretrain(
    stage: EncoderStage, texts: Texts, epochs: int, rate: float, rng: np.random.Generator, progress: Progress
) -> None:
    tokenizer: Any = stage.tokenizer
    if tokenizer.mask_token_id is None:
        raise EncoderInvalid("The encoder cannot be pre-trained: its tokenizer has no token for a hidden word.")
    pretrain(
        stage.network.encoder,
        stage.tokens,
        texts,
        tokenizer.all_special_ids,
        tokenizer.mask_token_id,
        epochs=epochs,
        rate=rate,
        rng=rng,
        progress=progress,
    )


def _told(progress: Progress, *weights: float) -> list[Progress]:
    """What each of some steps in a row is to tell, by how much of the work it is."""

    def of_step(before: float, weight: float) -> Progress:
        return lambda part: progress((before + part * weight) / sum(weights))

    return [of_step(sum(weights[:number]), weight) for number, weight in enumerate(weights)]


def _both(rows: Rows, more: Rows) -> Rows:
    return Rows([*rows.raw_titles, *more.raw_titles], [*rows.raw_descriptions, *more.raw_descriptions])
