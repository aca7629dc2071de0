"""The fit of the encoder stage: from scratch, from a directory, or of the classes' layer alone.

Importing this module imports TensorFlow.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.data.split import split_rows
from model.encoder.directory import load_directory, new_network
from model.encoder.head import fit_head
from model.encoder.learning import Lessons, fine_tune
from model.encoder.network import EncoderNetwork
from model.encoder.pretraining import pretrain
from model.encoder.stage import EncoderStage
from model.encoder.tokens import Texts
from model.encoder.vocabulary import MAX_VOCABULARY, small_config, train_tokenizer
from model.errors import EncoderInvalid
from model.rows import Rows
from model.stages import LogProbabilities, Progress, Truth

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
        teacher_weight: Share of the teacher in what is to be learned, where there is one.
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
    teacher: LogProbabilities | None = None,
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
        unlabelled: More rows, for the tokenizer and the pre-training.
        teacher: What another stage, that did not learn from them, makes of the rows, to learn from beside the
            truth (Hinton et al. 2015, at temperature 1). Not used when the encoder stays frozen.
        options: How to train.
        seed: Of weights, order, masks and dropouts.
        progress: Told which part is done.

    Raises:
        EncoderUnsupported: The directory is of an architecture that has no loader.
        EncoderInvalid: A file of it is missing or damaged, or it cannot be pre-trained.
    """
    rng = np.random.default_rng(seed)
    stage = _begin(rows if unlabelled is None else _both(rows, unlabelled), classes, directory, options, rng)
    texts = stage.tokens.of(rows)
    share = _share_of_pretraining(options)
    if options.pretraining_epochs:
        more = texts if unlabelled is None else _chained(texts, stage.tokens.of(unlabelled))
        _pretrain(stage, more, options, directory, rng, lambda part: progress(part * share))
    train, validation = _sides(rows, truth, options.validation_share, seed)
    if options.frozen:
        fit_head(stage, texts, truth, train, validation, lambda part: progress(share + part * (1 - share)))
        return stage
    targets: NDArray[np.floating[Any]] = np.eye(classes)[truth]
    if teacher is not None:
        targets = (1 - options.teacher_weight) * targets + options.teacher_weight * np.exp(teacher)
    lessons = Lessons(texts, targets.astype(np.float32), truth, train, validation)
    fine_tune(
        stage,
        lessons,
        epochs=options.epochs,
        patience=options.patience,
        rate=options.rate or (SCRATCH_RATE if directory is None else TUNING_RATE),
        rng=rng,
        progress=lambda part: progress(share + part * (1 - share)),
    )
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
    stage: EncoderStage,
    texts: Texts,
    options: EncoderOptions,
    directory: Path | None,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    tokenizer: Any = stage.tokenizer
    if tokenizer.mask_token_id is None:
        raise EncoderInvalid(f"The tokenizer of {directory} has no mask token, so it cannot be pre-trained.")
    pretrain(
        stage.network.encoder,
        stage.tokens,
        texts,
        tokenizer.all_special_ids,
        tokenizer.mask_token_id,
        epochs=options.pretraining_epochs,
        rate=options.rate or (SCRATCH_RATE if directory is None else TUNING_RATE),
        rng=rng,
        progress=progress,
    )


def _share_of_pretraining(options: EncoderOptions) -> float:
    after = 1 if options.frozen else options.epochs
    return options.pretraining_epochs / (options.pretraining_epochs + after)


def _sides(rows: Rows, truth: Truth, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers to train on and to validate with; rows of one title are on one side."""
    _, keys = np.unique(np.array(rows.titles), return_inverse=True)
    split = split_rows(truth.astype(np.str_), keys.astype(np.uint64), seed=seed, test_share=0, validation_share=share)
    return split.train, split.validation


def _both(rows: Rows, more: Rows) -> Rows:
    return Rows([*rows.raw_titles, *more.raw_titles], [*rows.raw_descriptions, *more.raw_descriptions])


def _chained(texts: Texts, more: Texts) -> Texts:
    return Texts([*texts.ids, *more.ids], [*texts.segments, *more.segments])
