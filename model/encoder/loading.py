"""A trained encoder stage out of its directory, on the engine that this machine has."""

from pathlib import Path

from model.encoder.answering import Answering
from model.encoder.lite import open_lite
from model.encoder.notes import read_notes


def load_stage(path: Path) -> Answering:
    """A stage that was saved, warmed up: on LiteRT where it is installed and agrees, else on TensorFlow.

    Raises:
        EncoderInvalid: A file is missing, damaged or of another format.
        EncoderUnsupported: It is of an architecture that has no loader.
    """
    notes = read_notes(path)
    lite = open_lite(path, notes)
    if lite is not None:
        return lite

    from model.encoder.stage import open_stage

    return open_stage(path, notes)
