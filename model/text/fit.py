"""Training an n-gram stage. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from model.rows import Rows
from model.stages import LogProbabilities, Progress, Truth
from model.tensorflow import tensorflow
from model.text.features import Block, Corpus, Idf, read
from model.text.fitting import fit_one_vs_rest
from model.text.network import MAX_KNOWN_WORDS, FittedView, NgramNetwork, export
from model.text.stage import in_calls
from model.text.views import VIEWS, View
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


def fit_text(
    rows: Rows,
    truth: Truth,
    classes: int,
    *,
    seed: int,
    progress: Progress,
) -> FittedText:
    """Fit the n-gram stage.

    Args:
        rows: Products.
        truth: Class of each.
        classes: How many there are.
        seed: Not used: the weights are the one solution of a convex problem.
        progress: Told how far it is.

    Raises:
        DataInvalid: The rows are all of one class.
    """
    del seed
    corpus = read(rows.titles, rows.descriptions, lambda part: progress(0.3 * part))
    network = fit_network(corpus, truth, classes, VIEWS, lambda part: progress(0.3 + 0.65 * part))
    progress(1.0)
    return FittedText(network)


def fit_network(
    corpus: Corpus, truth: Truth, classes: int, views: Sequence[View], progress: Progress = lambda _: None
) -> NgramNetwork:
    """A network of some views, fitted on the rows of a corpus.

    Raises:
        DataInvalid: The rows are all of one class.
    """
    idfs = [Idf.fit(corpus, view) for view in views]
    blocks = [Block(corpus, view, idf) for view, idf in zip(views, idfs, strict=True)]
    coefficients, bias = fit_one_vs_rest(blocks, truth, classes, progress=progress)
    fitted = [FittedView(*parts) for parts in zip(views, idfs, coefficients, strict=True)]
    return NgramNetwork(fitted, bias, corpus.frequent(MAX_KNOWN_WORDS))
