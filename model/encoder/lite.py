"""The encoder on LiteRT, an engine for processors alone (the extra ``fast``): the same weights, answers to 1e-4.

A trained stage keeps the converted network, and what TensorFlow answered to some tokens. Where LiteRT answers
otherwise, or is not there, TensorFlow goes on.
"""

import logging
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model.encoder.answering import Answering
from model.encoder.notes import Notes
from model.encoder.tokens import Ints, Tokens, read_tokenizer
from model.encoder.weights import Floats
from model.tensorflow import keras, notices_dropped, tensorflow

if TYPE_CHECKING:
    from model.encoder.stage import EncoderStage

FILE: Final = "aisle_engine.tflite"
GOLDEN: Final = "aisle_engine.npz"
TOLERANCE: Final = 1e-4
"""Probabilities that differ by more are another network's; conversions that failed quietly answered NaN."""

_INPUTS = ("ids", "segments", "mask")

logger = logging.getLogger(__name__)


class LiteStage(Answering):
    """A converted network in service.

    Args:
        path: The stage's directory.
        tokens: Set as in training.
        classes: How many it knows.
    """

    def __init__(self, path: Path, tokens: Tokens, classes: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        super().__init__(tokens)
        self._classes = classes
        threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or os.cpu_count()
        self._interpreter = Interpreter(model_path=str(path / FILE), num_threads=threads)
        self._of_length = {size: self._interpreter.get_signature_runner(_name(size)) for size in tokens.buckets}

    @property
    def classes(self) -> int:
        """How many classes it knows."""
        return self._classes

    def answer(self, ids: Ints, segments: Ints, mask: Ints) -> Floats:
        """Log-probabilities [rows, classes] of one batch."""
        found: Floats = self._of_length[ids.shape[1]](ids=ids, segments=segments, mask=mask)["output_0"]
        return found


def is_here() -> bool:
    """Whether LiteRT is installed."""
    return find_spec("ai_edge_litert") is not None


def write_lite(stage: "EncoderStage", path: Path) -> None:
    """Convert a stage's network into its directory, with what it answers to some tokens; or say why it cannot be.

    Raises:
        OSError: The disk is full, or the path cannot be written.
    """
    try:
        with notices_dropped():
            converted = _converted(stage)
    except Exception as error:  # noqa: BLE001 - the converter raises what it likes; networks over 2 GB it cannot
        logger.warning("The encoder cannot be converted for LiteRT: %s", error)
        return
    (path / FILE).write_bytes(converted)
    golden: dict[str, Any] = {}
    for size in stage.tokens.buckets:
        tokens = _some_tokens(size, stage.network.encoder.shape.vocabulary, stage.tokens.pad)
        golden |= {f"{name}_{size}": array for name, array in zip(_INPUTS, tokens, strict=True)}
        golden[f"answer_{size}"] = stage.answer(*tokens)
    np.savez(path / GOLDEN, **golden)


def _converted(stage: "EncoderStage") -> bytes:
    """One file with a signature for each length; they share their weights."""
    tf = tensorflow()
    archive = keras().export.ExportArchive()  # what tf.saved_model.save writes converts without an error, into NaN
    archive.track(stage.network)
    for size in stage.tokens.buckets:
        specs = [tf.TensorSpec([None, size], tf.int32, name=name) for name in _INPUTS]
        archive.add_endpoint(_name(size), stage.call, input_signature=specs)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        keys = [_name(size) for size in stage.tokens.buckets]
        converted: bytes = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys).convert()
    return converted


def open_lite(path: Path, notes: Notes) -> LiteStage | None:
    """The converted network of a stage, once it answers as it must; None where it does not, or cannot."""
    if not (is_here() and (path / FILE).is_file()):
        return None
    try:
        with np.load(path / GOLDEN, allow_pickle=False) as golden, notices_dropped():
            stage = LiteStage(path, Tokens(read_tokenizer(path), notes.pad, notes.max_tokens), notes.classes)
            off = max(_difference(stage, golden, size) for size in stage.tokens.buckets)
    except Exception as error:  # noqa: BLE001 - whatever an engine that is optional stumbles on: there is another
        logger.warning("LiteRT cannot open %s, TensorFlow goes on: %s", path / FILE, error)
        return None
    if not off <= TOLERANCE:  # nor NaN
        logger.warning("LiteRT answers otherwise by %g with %s, TensorFlow goes on", off, path / FILE)
        return None
    return stage


def _difference(stage: LiteStage, golden: Any, size: int) -> float:
    found = stage.answer(*(golden[f"{name}_{size}"] for name in _INPUTS))
    return float(np.abs(np.exp(found) - np.exp(golden[f"answer_{size}"])).max())


def _some_tokens(size: int, vocabulary: int, pad: int) -> tuple[Ints, Ints, Ints]:
    """Rows drawn by lot: a full one, one half full and one of two tokens."""
    rng = np.random.default_rng(size)
    mask = (np.arange(size) < np.array([[size], [size // 2], [2]])).astype(np.int32)
    ids = np.where(mask == 1, rng.integers(0, vocabulary, mask.shape), pad).astype(np.int32)
    return ids, mask * (np.arange(size, dtype=np.int32) >= size // 3), mask


def _name(size: int) -> str:
    return f"of_{size}"
