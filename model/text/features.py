"""Texts as sparse matrices: the training side of :mod:`model.text.ngrams`.

Importing this module imports TensorFlow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.tensorflow import tensorflow
from model.text import ngrams
from model.text.views import FIELDS, OF_WORDS, Field, Kind, View

tf = tensorflow()
Matrix = Any  # scipy.sparse.csr_matrix, which ships no types
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_BATCH = 1_024
_WORDS_A_BATCH = 8_192


@dataclass(frozen=True)
class Corpus:
    """What some rows have, and what their words have.

    Args:
        words: By field, which words each row has, 1 for each: [rows, words].
        phrases: By field and kind, how often each row has what goes beyond a word: [rows, BUCKETS].
        spellings: The words, in UTF-8.
        parts: By kind, how often each word has each bucket: [words, BUCKETS].
    """

    words: Mapping[Field, Matrix]
    phrases: Mapping[tuple[Field, Kind], Matrix]
    spellings: NDArray[np.object_]
    parts: Mapping[Kind, Matrix]

    def frequent(self, most: int) -> list[bytes]:
        """The words that most rows have, most frequent first, ``most`` of them at most."""
        rows = sum(np.bincount(matrix.indices, minlength=len(self.spellings)) for matrix in self.words.values())
        found: list[bytes] = self.spellings[np.argsort(-np.asarray(rows), kind="stable")[:most]].tolist()
        return found

    def view(self, view: View) -> tuple[Matrix, Matrix]:
        """A view's counts as a product: what rows have [rows, words + BUCKETS], and what that has [.., BUCKETS]."""
        from scipy import sparse

        words = sum(self.words[field] for field in view.fields)
        phrases = [self.phrases[field, kind] for kind in view.kinds if kind not in OF_WORDS for field in view.fields]
        parts = [self.parts[kind] for kind in view.kinds if kind in OF_WORDS]
        if not parts:
            return sum(phrases).tocsr(), sparse.eye_array(ngrams.BUCKETS, dtype=np.float32, format="csr")
        if not phrases:
            return words, sum(parts).tocsr()
        below = sparse.eye_array(ngrams.BUCKETS, dtype=np.float32, format="csr")
        return sparse.hstack([words, sum(phrases)], format="csr"), sparse.vstack([sum(parts), below], format="csr")


@dataclass(frozen=True)
class Idf:
    """The buckets of a view that training saw, and their weights: ln((1 + rows) / (1 + df)) + 1, as scikit-learn's.

    Args:
        live: The buckets, ascending.
        weights: Of each of them.
    """

    live: Ints
    weights: NDArray[np.float64]

    @classmethod
    def fit(cls, corpus: Corpus, view: View) -> "Idf":
        """Count in how many rows each bucket is."""
        has, adds = corpus.view(view)
        rows = has.shape[0]
        frequency = np.zeros(ngrams.BUCKETS, np.int64)
        for start in range(0, rows, _BATCH):  # the product is what must never be held at once
            frequency += np.bincount((has[start : start + _BATCH] @ adds).indices, minlength=ngrams.BUCKETS)
        live = np.flatnonzero(frequency)
        return cls(live, np.log((1 + rows) / (1 + frequency[live])) + 1)


class Block:
    """The features of a view, [rows, live buckets], weighted and brought to length, as a product of two matrices.

    The length of a row is the root of sum(count x idf^2), in which a feature that occurs twice counts as two: so it
    is a sum over words, and what belongs to a word can be summed beforehand.
    """

    def __init__(self, corpus: Corpus, view: View, idf: Idf) -> None:
        from scipy import sparse

        has, adds = corpus.view(view)
        adds = adds[:, idf.live]
        squares = has @ (adds @ (idf.weights**2))
        scale = np.sqrt(view.weight / np.where(squares > 0, squares, 1.0))
        self._has = (sparse.diags_array(scale) @ has).astype(np.float32).tocsr()
        self._adds = (adds @ sparse.diags_array(idf.weights)).astype(np.float32).tocsr()
        self.rows, self.width = has.shape[0], len(idf.live)

    def margins(self, weights: Floats) -> Floats:
        """The features times weights [live buckets, classes]: [rows, classes]."""
        result: Floats = self._has @ (self._adds @ weights)
        return result

    def gradient(self, pull: Floats) -> Floats:
        """The features' transpose times [rows, classes]: [live buckets, classes]."""
        result: Floats = self._adds.T @ (self._has.T @ pull)
        return result


def read(
    titles: Sequence[str], descriptions: Sequence[str], progress: Callable[[float], None] = lambda _: None
) -> Corpus:
    """Count what cleaned texts have, in batches of bounded size.

    Args:
        titles: Cleaned titles.
        descriptions: Cleaned descriptions, as many.
        progress: Told which part is done, from 0 to 1.
    """
    vocabulary = _Vocabulary()
    found: dict[Field, list[tuple[Ints, Ints]]] = {field: [] for field in FIELDS}
    beyond: dict[tuple[Field, Kind], list[tuple[Ints, Ints]]] = {
        (field, kind): [] for field in FIELDS for kind in ngrams.BEYOND_WORDS
    }
    for start in range(0, len(titles), _BATCH):
        batch = [tf.constant(list(texts[start : start + _BATCH]), tf.string) for texts in (titles, descriptions)]
        for field, tensors in zip(FIELDS, _read(*batch), strict=True):
            rows, spellings, hashes, *rest = (tensor.numpy() for tensor in tensors)
            found[field].append((rows + start, vocabulary.numbers(spellings, hashes)))
            for kind, at, buckets in zip(ngrams.BEYOND_WORDS, rest[::2], rest[1::2], strict=True):
                beyond[field, kind].append((at + start, buckets))
        progress(min(1.0, (start + _BATCH) / len(titles)))
    return Corpus(
        {field: _counted(at, len(titles), len(vocabulary)) for field, at in found.items()},
        {key: _counted(at, len(titles), ngrams.BUCKETS) for key, at in beyond.items()},
        vocabulary.spellings(),
        _parts(vocabulary),
    )


class _Vocabulary:
    """Words numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._spellings: list[bytes] = []
        self.hashes = self._numbers.keys()

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, spellings: NDArray[np.object_], hashes: Ints) -> Ints:
        """The number of each word."""
        unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        numbers = np.empty(len(unique), np.int64)
        for place, (word, at) in enumerate(zip(unique.tolist(), first.tolist(), strict=True)):
            numbers[place] = self._numbers.setdefault(word, len(self._numbers))
            if numbers[place] == len(self._spellings):
                self._spellings.append(spellings[at])
        return numbers[inverse]

    def spellings(self) -> NDArray[np.object_]:
        return np.array(self._spellings, np.object_)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 2)  # type: ignore[untyped-decorator] # TensorFlow ships no types
def _read(titles: ngrams.Tensor, descriptions: ngrams.Tensor) -> list[list[ngrams.Tensor]]:
    """By field: words once a row (row, spelling, hash), then row and bucket of the pairs, then of the starts."""
    found = []
    for texts in tf.split(ngrams.fields(titles, descriptions, FIELDS), len(FIELDS)):
        rows, spellings, hashes = ngrams.words(texts)
        once = ngrams.first_of_each(rows, hashes)
        distinct = [tf.gather(column, once) for column in (rows, spellings, hashes)]
        beyond = [column for find in ngrams.BEYOND_WORDS.values() for column in find(rows, hashes)]
        found.append([*distinct, *beyond])
    return found


def _parts(vocabulary: _Vocabulary) -> dict[Kind, Matrix]:
    """What each word has, by kind."""
    hashes = np.fromiter(vocabulary.hashes, np.int64, len(vocabulary))
    found: dict[Kind, list[tuple[Ints, Ints]]] = {kind: [] for kind in OF_WORDS}
    for start, spellings in _batches(vocabulary.spellings()):
        some = tf.constant(hashes[start : start + len(spellings)])
        for kind in OF_WORDS:
            for word, buckets in ngrams.buckets_of_words(kind, tf.constant(spellings, tf.string), some):
                found[kind].append((word.numpy() + start, buckets.numpy()))
    return {kind: _counted(at, len(vocabulary), ngrams.BUCKETS) for kind, at in found.items()}


def _batches(spellings: NDArray[np.object_]) -> Iterator[tuple[int, list[bytes]]]:
    for start in range(0, len(spellings), _WORDS_A_BATCH):
        yield start, spellings[start : start + _WORDS_A_BATCH].tolist()


def _counted(positions: Sequence[tuple[Ints, Ints]], rows: int, columns: int) -> Matrix:
    """How often each (row, column) is there."""
    from scipy import sparse

    at = [np.concatenate([part[side] for part in positions] or [np.empty(0, np.int64)]) for side in (0, 1)]
    ones = np.ones(len(at[0]), np.float32)  # exact up to 16 million, at half the memory
    matrix = sparse.csr_matrix((ones, (at[0], at[1])), shape=(rows, columns))
    matrix.sum_duplicates()
    return matrix
