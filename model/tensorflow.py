"""TensorFlow and Keras, imported once, late and quietly: the import takes 5 s, with Keras 9, and 560 MB."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

_NOTICE: Final = re.compile(
    rb"^(WARNING: All log messages before absl::|[IWE]\d{4} |[IWE]0000 00:00|INFO: Created TensorFlow Lite)"
)


@cache
def tensorflow() -> Any:
    """The module ``tensorflow``, ready to compute, with none of its start-up notices on the terminal."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with notices_dropped(), _keras_held_back():
        import tensorflow as tf

        tf.constant(0)  # looks for devices, with more notices
    tf.get_logger().setLevel("ERROR")
    return tf


@cache
def keras() -> Any:
    """The module ``keras`` on the TensorFlow backend."""
    tensorflow()
    import keras as module

    return module


@contextmanager
def _keras_held_back() -> Iterator[None]:
    """Let TensorFlow do without Keras, which it imports if it can, and with it SciPy, scikit-learn and Matplotlib.

    Serving needs none of them, and a worker that was killed is back so much sooner.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.modules["keras"] = None  # type: ignore[assignment] # an import of it then fails, as documented
    try:
        yield
    finally:
        del sys.modules["keras"]


@contextmanager
def notices_dropped() -> Iterator[None]:
    """Hold back what is written to descriptor 2, then pass on all of it but the native library's notices.

    They are written before the library reads any log level, so no setting silences them.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if not _NOTICE.match(line):
                    os.write(2, line)
