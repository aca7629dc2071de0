"""The encoder as a stage of the cascade. Importing this module imports TensorFlow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.encoder.directory import load_directory, save_directory
from model.encoder.network import EncoderNetwork, Tensor
from model.encoder.tokens import Texts, Tokens
from model.encoder.weights import Floats
from model.errors import EncoderInvalid
from model.rows import Rows
from model.stages import LogProbabilities, Progress
from model.tensorflow import tensorflow
from schemas.prediction import Modality

STAGE_FILE: Final = "aisle_stage.json"
"""What the layout has no place for: the number of classes, and the longest text."""

_ROWS_A_PASS = 8_192  # whose tokens are in memory at a time

tf = tensorflow()


class EncoderStage:
    """A network in service, one graph for each length.

    Args:
        network: The network.
        tokenizer: Its tokenizer, of transformers.
        config: Its configuration, of transformers.
        max_tokens: Most tokens of a row.
    """

    name: str = "encoder"
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, network: EncoderNetwork, tokenizer: Any, config: Any, max_tokens: int) -> None:
        self.network = network
        self.tokens = Tokens(tokenizer, network.encoder.shape.pad, max_tokens)
        self.tokenizer, self._config = tokenizer, config
        self._graphs = {size: _graph(self._answer, size) for size in self.tokens.buckets}

    @property
    def classes(self) -> int:
        """How many classes it knows."""
        return int(self.network.head.units)

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """Log-probabilities [rows, classes] of some rows, one at least."""
        parts = [
            self.of_texts(self.tokens.of(rows.take(np.arange(start, min(start + _ROWS_A_PASS, len(rows))))))
            for start in range(0, len(rows), _ROWS_A_PASS)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def of_texts(self, texts: Texts) -> LogProbabilities:
        """Log-probabilities [rows, classes] of tokens."""
        found = np.empty((len(texts.ids), self.classes), np.float32)
        for batch in self.tokens.batches(texts):
            found[batch.rows] = self._graphs[batch.ids.shape[1]](batch.ids, batch.segments, batch.mask).numpy()
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

    def _answer(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return tf.nn.log_softmax(self.network(ids, segments, mask, training=False))

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
        notes = {"format": 1, "classes": self.classes, "max_tokens": self.tokens.max_tokens}
        (path / STAGE_FILE).write_text(json.dumps(notes) + "\n", encoding="utf-8")


def load_stage(path: Path) -> EncoderStage:
    """A stage that was saved, warmed up.

    Raises:
        EncoderInvalid: A file is missing, damaged or of another format.
        EncoderUnsupported: It is of an architecture that has no loader.
    """
    try:
        notes = json.loads((path / STAGE_FILE).read_bytes())
        form, classes, max_tokens = (int(notes[name]) for name in ("format", "classes", "max_tokens"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderInvalid(f"{path / STAGE_FILE} cannot be read: {error!r}.", hint="Train anew.") from error
    if form != 1:
        raise EncoderInvalid(f"{path} is of format {form}, and this version reads 1.", hint="Train anew.")
    loaded = load_directory(path, classes, np.random.default_rng(0))
    if not loaded.own_head:
        raise EncoderInvalid(f"{path} has no layer for its {classes} classes.", hint="Train anew.")
    stage = EncoderStage(loaded.network, loaded.tokenizer, loaded.config, max_tokens)
    stage.warm()
    return stage


def _graph(call: Callable[..., Tensor], length: int) -> Callable[..., Tensor]:
    """A function of ids, segments and mask as a graph: rows open, tokens fixed."""
    spec = tf.TensorSpec([None, length], tf.int32)
    graph: Callable[..., Tensor] = tf.function(call, input_signature=[spec] * 3)
    return graph
