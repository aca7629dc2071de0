"""The encoder on TensorFlow, in training and in service. Importing this module imports TensorFlow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from model.encoder import lite
from model.encoder.answering import Answering
from model.encoder.directory import load_directory, save_directory
from model.encoder.network import EncoderNetwork, Tensor
from model.encoder.notes import Notes, write_notes
from model.encoder.tokens import Ints, Texts, Tokens
from model.encoder.weights import Floats
from model.errors import EncoderInvalid
from model.stages import Progress
from model.tensorflow import tensorflow

tf = tensorflow()


class EncoderStage(Answering):
    """A network on TensorFlow, one graph for each length.

    Args:
        network: The network.
        tokenizer: Its tokenizer, of transformers.
        config: Its configuration, of transformers.
        max_tokens: Most tokens of a row.
    """

    def __init__(self, network: EncoderNetwork, tokenizer: Any, config: Any, max_tokens: int) -> None:
        super().__init__(Tokens(tokenizer, network.encoder.shape.pad, max_tokens))
        self.network = network
        self.tokenizer, self._config = tokenizer, config
        self._graphs = {size: _graph(self.call, size) for size in self.tokens.buckets}

    @property
    def classes(self) -> int:
        """How many classes it knows."""
        return int(self.network.head.units)

    def call(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """The log-probabilities of a batch, as operations of a graph."""
        return tf.nn.log_softmax(self.network(ids, segments, mask, training=False))

    def answer(self, ids: Ints, segments: Ints, mask: Ints) -> Floats:
        """Log-probabilities [rows, classes] of one batch."""
        found: Floats = self._graphs[ids.shape[1]](ids, segments, mask).numpy()
        return found

    def features(self, texts: Texts, progress: Progress) -> Floats:
        """What the classes' layer gets to see, [rows, width]."""
        graphs = {size: _graph(self.network.features, size) for size in self.tokens.buckets}
        found = np.empty((len(texts.ids), self.network.encoder.shape.width), np.float32)
        done = 0
        for batch in self.tokens.batches(texts):
            found[batch.rows] = graphs[batch.ids.shape[1]](batch.ids, batch.segments, batch.mask).numpy()
            done += len(batch.rows)
            progress(done / len(found))
        return found

    def warm(self) -> None:
        """Trace every length's graph, so that no later call has to."""
        for size in self._graphs:
            one = np.ones((1, size), np.int32)
            self._graphs[size](one, one * 0, one)

    def save(self, path: Path) -> None:
        """Write it into a new directory, in the Hugging Face layout.

        Raises:
            OSError: The disk is full, or the path cannot be written.
        """
        path.mkdir(parents=True)
        save_directory(path, self.network, self._config, self.tokenizer)
        write_notes(path, Notes(self.classes, self.tokens.max_tokens, self.tokens.pad))
        if lite.is_here():
            lite.write_lite(self, path)


def open_stage(path: Path, notes: Notes) -> EncoderStage:
    """A stage that was saved, warmed up.

    Raises:
        EncoderInvalid: A file is missing or damaged.
        EncoderUnsupported: It is of an architecture that has no loader.
    """
    loaded = load_directory(path, notes.classes, np.random.default_rng(0))
    if not loaded.own_head:
        raise EncoderInvalid(f"{path} has no layer for its {notes.classes} classes.", hint="Train anew.")
    stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, notes.max_tokens)
    stage.warm()
    return stage


def _graph(call: Callable[..., Tensor], length: int) -> Callable[..., Tensor]:
    """A function of ids, segments and mask as a graph: rows open, tokens fixed."""
    spec = tf.TensorSpec([None, length], tf.int32)
    graph: Callable[..., Tensor] = tf.function(call, input_signature=[spec] * 3)
    return graph
