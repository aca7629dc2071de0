"""Words and n-grams of one text and their buckets: what `model.text.ngrams` finds, without TensorFlow.

For one product at a time, and for people: each feature knows which words it is of, and how it is written.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from model.fingerprint import fingerprint64
from model.text.views import Kind

BUCKET_BITS: Final = 18
BUCKETS: Final = 1 << BUCKET_BITS

_MAX_CHARS: Final = 5
_STEM_CHARS: Final = 6
_CACHED_CHARS: Final = 40  # longer ones come once, and one of 3,000 characters would keep megabytes
_RADIX: Final = 6364136223846793005
_MIX: Final = (-7046029254386353131, -4658895280553007687)
_PAIR_SALT: Final = 77
_START_SALT: Final = 78
_64: Final = 1 << 64
_HASHES: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is counted.

    Args:
        kind: Of which kind.
        text: As it is written; a blank at an end is the edge of a word.
        words: The words that it is of, by their number among the field's; of one that is in a word, its first.
        bucket: Where its weights are.
    """

    kind: Kind
    text: str
    words: tuple[int, ...]
    bucket: int


def split(text: str) -> list[str]:
    """The words of a cleaned text, in order: runs of letters, marks and digits."""
    return "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text).split()


def features_of(kind: Kind, words: Sequence[str]) -> Iterator[Feature]:
    """The features of one kind that a text has: those of a word once, however often it is there."""
    if kind == "pairs":
        for first, (one, other) in enumerate(pairwise(words)):
            both = _hash(one) * _RADIX + _hash(other) + _PAIR_SALT
            yield Feature(kind, f"{one} {other}", (first, first + 1), _bucket(both))
        return
    if kind == "start":
        yield from _starts(words)
        return
    for word, number in {word: number for number, word in reversed(list(enumerate(words)))}.items():
        if kind == "words":
            yield Feature(kind, word, (number,), _bucket(_hash(word)))
        elif kind == "stems":
            yield Feature(kind, word[:_STEM_CHARS], (number,), _bucket(_hash(word[:_STEM_CHARS])))
        else:
            chars = _chars if len(word) <= _CACHED_CHARS else _chars.__wrapped__
            yield from (Feature(kind, text, (number,), bucket) for text, bucket in chars(word))


def _starts(words: Sequence[str]) -> Iterator[Feature]:
    if words:
        yield Feature("start", words[0], (0,), _bucket(_hash(words[0]) + _START_SALT))
    if len(words) > 1:
        both = _hash(words[0]) * _RADIX + _hash(words[1]) + _START_SALT
        yield Feature("start", f"{words[0]} {words[1]}", (0, 1), _bucket(both))


@lru_cache(maxsize=4_096)
def _chars(word: str) -> tuple[tuple[str, int], ...]:
    """The character n-grams of a word with a blank at each end, with their buckets."""
    text = f" {word} "
    found = []
    for order in range(2, _MAX_CHARS + 1):
        for start in range(len(text) - order + 1):
            rolled = 0
            for char in text[start : start + order]:
                rolled = rolled * _RADIX + ord(char)
            found.append((text[start : start + order], _bucket(rolled)))
    return tuple(found)


def _hash(word: str) -> int:
    return _short_hash(word) if len(word) <= _CACHED_CHARS else fingerprint64(word.encode()) % _HASHES


@lru_cache(maxsize=16_384)
def _short_hash(word: str) -> int:
    return fingerprint64(word.encode()) % _HASHES


def _bucket(hashed: int) -> int:
    """As TensorFlow's integers of 64 bits with a sign would have it."""
    mixed = _signed(hashed * _MIX[0])
    mixed ^= mixed >> 29
    mixed = _signed(mixed * _MIX[1])
    return mixed >> (64 - BUCKET_BITS) & (BUCKETS - 1)


def _signed(value: int) -> int:
    value %= _64
    return value - _64 if value >= _64 >> 1 else value
