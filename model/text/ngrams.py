"""Words, word pairs and character n-grams of a batch of texts, as TensorFlow operations on integers.

Training calls these functions to build its matrix and the exported network calls them to serve, so both see
the same features. N-grams are hashed by integer arithmetic on code points (a rolling polynomial) where
``tf.strings.ngrams`` would build every n-gram as a string: 92,000 against 10,000 short titles a second.

A word is a run of letters, marks and digits. Its character n-grams are those of " word ", which is what
scikit-learn calls ``char_wb``. Importing this module imports TensorFlow.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from model.tensorflow import tensorflow
from model.text.views import Field, Kind

tf = tensorflow()

Tensor = Any  # TensorFlow ships no types

BUCKET_BITS: Final = 18
BUCKETS: Final = 1 << BUCKET_BITS
"""Buckets of each view. 2^16 measured as well as 2^18 on 7,000 rows; more rows need the room."""

MAX_CHARS: Final = 5
"""Longest character n-gram; the shortest is 2."""

STEM_CHARS: Final = 6
"""Letters of a word that is cut short."""

_NOT_A_WORD = r"[^\p{L}\p{M}\p{N}]+"
_RADIX = 6364136223846793005  # of Knuth's MMIX generator; odd, so that no bit of a code point is lost
_MIX = (-7046029254386353131, -4658895280553007687)  # 2^64 / golden ratio, and splitmix64's second constant
_PAIR_SALT = 77  # keeps a pair apart from the word that happens to have its hash
_START_SALT = 78  # and a first word from any


def fields(titles: Tensor, descriptions: Tensor, wanted: Sequence[Field]) -> Tensor:
    """Some fields of cleaned texts as one column, [fields x rows], field by field."""
    found = {"title": titles, "description": descriptions}
    return tf.concat([found[field] for field in wanted], 0)


def words(texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The words of each text, in order, repeats included.

    Args:
        texts: String tensor [rows], cleaned.

    Returns:
        Row of each word (int64, ascending), its spelling, and its 62-bit hash.
    """
    split = tf.strings.split(tf.strings.regex_replace(texts, _NOT_A_WORD, " "))
    return split.value_rowids(), split.flat_values, word_hashes(split.flat_values)


def word_hashes(spellings: Tensor) -> Tensor:
    """62 bits of each word."""
    return tf.strings.to_hash_bucket_fast(spellings, 1 << 62)


def first_of_each(rows: Tensor, hashes: Tensor) -> Tensor:
    """Positions of the first occurrence of each word in each row, ascending.

    Counting a word once a row measured as well as counting repeats, and lets all that belongs to a word be
    summed beforehand.
    """
    keys = hashes + rows * tf.constant(_RADIX, tf.int64)
    unique, index = tf.unique(keys, out_idx=tf.int64)
    return tf.math.unsorted_segment_min(tf.range(tf.size(keys, tf.int64)), index, tf.size(unique, tf.int64))


def word_buckets(hashes: Tensor) -> Tensor:
    """The bucket of each word (int64, in [0, BUCKETS))."""
    return _bucket(hashes)


def pair_buckets(rows: Tensor, hashes: Tensor) -> tuple[Tensor, Tensor]:
    """Row and bucket of every two neighbouring words of a row, repeats included."""
    together = tf.equal(rows[:-1], rows[1:])
    pairs = hashes[:-1] * tf.constant(_RADIX, tf.int64) + hashes[1:] + _PAIR_SALT
    return tf.boolean_mask(rows[:-1], together), _bucket(tf.boolean_mask(pairs, together))


def start_buckets(rows: Tensor, hashes: Tensor) -> tuple[Tensor, Tensor]:
    """Row (ascending) and bucket of each row's first word, and of its first two words together if it has two."""
    none = tf.constant([-1, -1], tf.int64)
    behind = tf.concat([none, rows], 0)  # each row beside those of one and of two words before
    second = tf.equal(rows, behind[1:-1]) & tf.not_equal(rows, behind[:-2])
    first = tf.not_equal(rows, behind[1:-1])
    together = tf.concat([none[:1], hashes[:-1]], 0) * tf.constant(_RADIX, tf.int64) + hashes
    own = tf.where(first, hashes, together) + _START_SALT
    start = first | second
    return tf.boolean_mask(rows, start), _bucket(tf.boolean_mask(own, start))


def buckets_of_words(kind: Kind, spellings: Tensor, hashes: Tensor) -> list[tuple[Tensor, Tensor]]:
    """What words have of a kind: in parts, the word (index into ``spellings``, ascending) and the bucket."""
    if kind == "chars":
        return char_buckets(spellings)
    if kind == "stems":
        hashes = word_hashes(tf.strings.substr(spellings, 0, STEM_CHARS, unit="UTF8_CHAR"))
    return [(tf.range(tf.size(hashes, tf.int64), dtype=tf.int64), word_buckets(hashes))]


def char_buckets(spellings: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Character n-grams of words.

    Args:
        spellings: String tensor [words].

    Returns:
        For each order n, the word (index into ``spellings``, ascending) and the bucket of each n-gram.
    """
    points = tf.strings.unicode_decode(tf.strings.join([" ", spellings, " "]), "UTF-8")
    chars, word = tf.cast(points.flat_values, tf.int64), points.value_rowids()
    blank = tf.equal(chars, ord(" "))
    # An n-gram lies within one word when no blank is inside it; two neighbouring blanks end one and begin the next.
    inside = ~(blank[:-1] & blank[1:])
    rolled, found = chars, []
    for order in range(2, MAX_CHARS + 1):
        rolled = rolled[:-1] * tf.constant(_RADIX, tf.int64) + chars[order - 1 :]
        if order > 2:
            inside = inside[:-1] & ~blank[order - 2 : -1]
        found.append((tf.boolean_mask(word[: 1 - order], inside), _bucket(tf.boolean_mask(rolled, inside))))
    return found


def _bucket(hashes: Tensor) -> Tensor:
    mixed = hashes * tf.constant(_MIX[0], tf.int64)
    mixed = tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, tf.constant(29, tf.int64)))
    mixed = mixed * tf.constant(_MIX[1], tf.int64)
    high = tf.bitwise.right_shift(mixed, tf.constant(64 - BUCKET_BITS, tf.int64))
    return tf.bitwise.bitwise_and(high, tf.constant(BUCKETS - 1, tf.int64))


BEYOND_WORDS: Final[dict[Kind, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]]] = {
    "pairs": pair_buckets,
    "start": start_buckets,
}
"""What the order of words adds, by kind: of rows and hashes, row (ascending) and bucket."""
