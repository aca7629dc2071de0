"""Training an n-gram stage. Importing this module imports TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from model.rows import Rows
from model.stages import Former, LogProbabilities, Progress, Truth
from model.text.features import Block, Floats, Idf, read
from model.text.fitting import fit_one_vs_rest
from model.text.network import MAX_KNOWN_WORDS, FittedView, NgramNetwork, export
from model.text.start import weights_of
from model.text.views import VIEWS
from schemas.prediction import Modality

NAME: Final = "text"

_MAX_ROWS = 4_096  # of one call, so that memory stays bounded


class FittedText:
    """What was just fitted. It answers by the features of its fit: to build and trace the network takes seconds.

    Args:
        views: With their weights.
        bias: [classes].
        vocabulary: The words that the network is to know beforehand.
    """

    name = NAME
    reads: frozenset[Modality] = frozenset({"title", "description"})

    def __init__(self, views: Sequence[FittedView], bias: Floats, vocabulary: Sequence[bytes]) -> None:
        self._views = views
        self._bias = bias
        self._vocabulary = vocabulary

    def log_probabilities(self, rows: Rows) -> LogProbabilities:
        """As the saved stage will answer."""
        starts = range(0, len(rows), _MAX_ROWS)
        texts = ((rows.titles[at : at + _MAX_ROWS], rows.descriptions[at : at + _MAX_ROWS]) for at in starts)
        return np.concatenate([self._answers(*some) for some in texts])

    def save(self, path: Path) -> None:
        """Write the SavedModel."""
        export(NgramNetwork(self._views, self._bias, self._vocabulary), path)

    def _answers(self, titles: Sequence[str], descriptions: Sequence[str]) -> LogProbabilities:
        corpus = read(titles, descriptions)
        parts = [Block(corpus, one.view, one.idf).margins(one.coefficients) for one in self._views]
        margins = np.sum(parts, axis=0) + self._bias
        margins -= margins.max(axis=1, keepdims=True)
        result: LogProbabilities = margins - np.log(np.exp(margins).sum(axis=1, keepdims=True))
        return result


def fit_text(
    rows: Rows,
    truth: Truth,
    classes: int,
    *,
    seed: int,
    progress: Progress,
    former: Former | None = None,
) -> FittedText:
    """Fit the n-gram stage.

    Args:
        rows: Products.
        truth: Class of each.
        classes: How many there are.
        seed: Not used: the weights are the one solution of a convex problem.
        progress: Told how far it is.
        former: A stage whose weights to begin with: it takes less time, and ends at the same solution.

    Raises:
        DataInvalid: The rows are all of one class.
    """
    del seed
    corpus = read(rows.titles, rows.descriptions, lambda part: progress(0.3 * part))
    idfs = [Idf.fit(corpus, view) for view in VIEWS]
    blocks = [Block(corpus, view, idf) for view, idf in zip(VIEWS, idfs, strict=True)]
    start = None if former is None else weights_of(former, VIEWS, idfs)
    coefficients, bias = fit_one_vs_rest(
        blocks, truth, classes, start=start, progress=lambda part: progress(0.3 + 0.7 * part)
    )
    fitted = [FittedView(*parts) for parts in zip(VIEWS, idfs, coefficients, strict=True)]
    return FittedText(fitted, bias, corpus.frequent(MAX_KNOWN_WORDS))
