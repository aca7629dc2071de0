"""Sums over the words of texts: what each adds to every class, looked up in tables.

A table's row holds what a feature adds to each class and, last, to the squared length of the text. Row 0 is all
zeros: it stands for whatever training never saw. Importing this module imports TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.tensorflow import tensorflow
from model.text import ngrams
from model.text.ngrams import Tensor
from model.text.views import OF_WORDS, Kind

tf = tensorflow()

_TINY = 1e-12  # the squared length of a text without a feature that training saw


@dataclass(frozen=True)
class Words:
    """The words of a batch, once a text.

    Args:
        rows: The text of each, ascending.
        spellings: In UTF-8.
        hashes: 62 bits of each.
        slots: Its row in the tables of known words; 0 for one that is not known.
    """

    rows: Tensor
    spellings: Tensor
    hashes: Tensor
    slots: Tensor


@dataclass(frozen=True)
class Table:
    """What the features of one view add.

    Args:
        kinds: What the view counts.
        rows: Row of each bucket in the table, [BUCKETS].
        table: [live buckets + 1, classes + 1].
    """

    kinds: Sequence[Kind]
    rows: Tensor
    table: Tensor

    def of_words(self, spellings: Tensor, hashes: Tensor, rows: Tensor, count: Tensor) -> list[Tensor]:
        """Sums over texts of what words add by themselves, in parts: each [count, classes + 1]."""
        parts = [
            part for kind in OF_WORDS if kind in self.kinds for part in ngrams.buckets_of_words(kind, spellings, hashes)
        ]
        return [self._sums(buckets, tf.gather(rows, word), count) for word, buckets in parts]

    def of_phrases(self, rows: Tensor, hashes: Tensor, count: Tensor) -> list[Tensor]:
        """Sums over texts of what the order of words adds, likewise; ``hashes`` are of all words, in order."""
        parts = [find(rows, hashes) for kind, find in ngrams.BEYOND_WORDS.items() if kind in self.kinds]
        return [self._sums(buckets, at, count) for at, buckets in parts]

    def _sums(self, buckets: Tensor, rows: Tensor, count: Tensor) -> Tensor:
        return tf.sparse.segment_sum(self.table, tf.gather(self.rows, buckets), rows, num_segments=count)


class Group:
    """The views of one choice of fields.

    Args:
        tables: Of each view.
        fields: The first of its fields among the network's, and the one after its last.
        known: What each known word adds, [known words + 1, views x (classes + 1)]; None when no view counts words.
    """

    def __init__(self, tables: Sequence[Table], fields: tuple[int, int]) -> None:
        self.tables = tables
        self.fields = fields
        self.known: Tensor | None = None

    @property
    def counts_words(self) -> bool:
        """Whether any of its views does."""
        return any(kind in OF_WORDS for table in self.tables for kind in table.kinds)

    def of_known(self, words: Words, count: int) -> Tensor:
        """What each of some words adds, a row each: the group's table of known words, without its row 0."""
        return tf.concat(
            [
                tf.add_n(
                    [
                        tf.zeros([count, table.table.shape[1]]),
                        *table.of_words(words.spellings, words.hashes, words.rows, count),
                    ]
                )
                for table in self.tables
            ],
            1,
        )

    def margins(self, words: Words, order: tuple[Tensor, Tensor], count: Tensor) -> Tensor:
        """What its views say of the batch, [count, classes].

        Args:
            words: Of the network's fields, field by field: text f x count + r is field f of row r.
            order: Text and hash of every word, in order, repeats included.
            count: Rows of the batch.
        """
        first, end = self.fields
        texts = (end - first) * count
        every, in_order = self._own(order, count)
        parts = [table.of_phrases(every, in_order, texts) for table in self.tables]
        if self.known is not None:
            columns = words.rows, words.spellings, words.hashes, words.slots
            rows, spellings, hashes, slots = self._own(columns, count)
            is_known = slots > 0
            known = tf.sparse.segment_sum(
                self.known, tf.boolean_mask(slots, is_known), tf.boolean_mask(rows, is_known), num_segments=texts
            )
            new, spelled, hashed = (tf.boolean_mask(column, ~is_known) for column in (rows, spellings, hashes))
            for table, own, some in zip(self.tables, tf.split(known, len(self.tables), 1), parts, strict=True):
                some += [own, *table.of_words(spelled, hashed, new, texts)]
        return tf.add_n([_unit_length(tf.add_n(some), end - first) for some in parts])

    def _own(self, columns: Sequence[Tensor], count: Tensor) -> list[Tensor]:
        """The part of columns, of which the first is the ascending text, that belongs to the group's fields."""
        first, end = self.fields
        begin, stop = tf.unstack(tf.searchsorted(columns[0], [first * count, end * count]))
        rows, *rest = (column[begin:stop] for column in columns)
        return [rows - first * count, *rest]


def _unit_length(sums: Tensor, fields: int) -> Tensor:
    """The fields' sums [fields x rows, classes + 1] together, brought to length 1: [rows, classes]."""
    together = tf.add_n(tf.split(sums, fields)) if fields > 1 else sums
    return together[:, :-1] * tf.math.rsqrt(tf.maximum(together[:, -1:], _TINY))
