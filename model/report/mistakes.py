"""What goes wrong: the categories that are taken for each other, and the mistakes that the model was sure of."""

from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.evaluation import Evaluation
from model.report.schema import ConfusedPair, Mistake
from model.rows import MODALITIES, Rows

MAX_PAIRS: Final = 15
MAX_MISTAKES: Final = 20
MAX_CHARS: Final = 200

_JOINERS = "\u200c\u200d"  # unprintable by name, and yet part of how Persian words and emoji are written


def confused_pairs(evaluation: Evaluation) -> list[ConfusedPair]:
    """The commonest confusions, the most rows first."""
    counts = np.array(evaluation.confusion)
    np.fill_diagonal(counts, 0)
    codes = [score.code for score in evaluation.classes]
    pairs = [
        ConfusedPair(
            truth=codes[truth],
            said=codes[said],
            rows=int(counts[truth, said]),
            share=counts[truth, said] / evaluation.classes[truth].rows,
        )
        for truth, said in np.argwhere(counts)
    ]
    return sorted(pairs, key=lambda pair: (-pair.rows, -pair.share))[:MAX_PAIRS]


def sure_mistakes(
    products: Rows,
    probabilities: NDArray[np.floating[Any]],
    truth: NDArray[np.int64],
    codes: list[str],
    private: NDArray[np.bool_] | None = None,
) -> list[Mistake]:
    """The wrong answers of the highest confidence, the surest first; those of one text and answer are one.

    Rows that are private are passed over: what they say may have to be forgotten, and a report stays.
    """
    said, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero((said != truth) & ~(np.zeros(len(truth), np.bool_) if private is None else private))
    found: dict[tuple[str, int, int], list[int]] = {}
    for row in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist():
        text = shown(products.raw_titles[row]) or shown(products.raw_descriptions[row])
        found.setdefault((text, int(truth[row]), int(said[row])), []).append(row)
    return [
        Mistake(
            text=text,
            modalities=[name for name, has in zip(MODALITIES, products.present[rows[0]], strict=True) if has],
            truth=codes[right],
            said=codes[answer],
            confidence=float(confidence[rows[0]]),
            truth_probability=float(probabilities[rows[0], right]),
            rows=len(rows),
        )
        for (text, right, answer), rows in islice(found.items(), MAX_MISTAKES)
    ]


def shown(text: str) -> str:
    """Text of strangers as a report may hold it: one line, cut, nothing that steers a reader's screen.

    Controls, lone surrogates and marks that reverse the direction of what follows become a dot.
    """
    line = " ".join(text[: 4 * MAX_CHARS].split())
    cut = line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"
    return "".join(char if char.isprintable() or char in _JOINERS else "·" for char in cut)
