"""Training an n-gram stage. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from model.rows import Rows
from model.stages import LogProbabilities, Progress, Truth
from model.tensorflow import tensorflow
from model.text.features import Idf, count_ngrams, vocabulary
from model.text.fitting import fit_linear
from model.text.network import MAX_KNOWN_WORDS, NgramNetwork, Weights, export
from model.text.stage import in_calls
from schemas.prediction import Modality

NAME: Final = "text"


class FittedText:
    """The network that was just fitted.

    Args:
        network: With its weights.
    """

    name = NAME
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, network: NgramNetwork) -> None:
        self._network = network
        tf = tensorflow()
        spec = tf.TensorSpec([None], tf.string)
        self._call = tf.function(network, input_signature=[spec, spec])

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """As the saved stage will answer."""
        tf = tensorflow()

        def call(titles: Sequence[str], descriptions: Sequence[str]) -> LogProbabilities:
            result: LogProbabilities = self._call(
                tf.constant(list(titles), tf.string), tf.constant(list(descriptions), tf.string)
            ).numpy()
            return result

        return in_calls(call, rows.titles, rows.descriptions)

    def save(self, path: Path) -> None:
        """Write the SavedModel."""
        export(self._network, path)


def fit_text(rows: Rows, truth: Truth, classes: int, *, seed: int, progress: Progress) -> FittedText:
    """Fit the fast stage.

    Args:
        rows: Products.
        truth: Class of each.
        classes: How many there are.
        seed: Of the solver.
        progress: Told how far it is.

    Raises:
        DataInvalid: The rows are all of one class.
    """
    counts = count_ngrams(rows.titles, rows.descriptions, lambda part: progress(0.4 * part))
    idf = Idf.fit(counts)
    coefficients, bias = fit_linear(idf.weigh(counts), truth, classes, seed=seed)
    progress(0.9)
    known = vocabulary(rows.titles, rows.descriptions, MAX_KNOWN_WORDS)
    network = NgramNetwork(Weights(idf, coefficients, bias, known))
    progress(1.0)
    return FittedText(network)
