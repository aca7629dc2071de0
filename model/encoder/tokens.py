"""Rows as token ids: texts lightly cleaned, title and description as the two segments that encoders know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.data.cleaning import clean
from model.encoder.hub import transformers
from model.errors import EncoderInvalid, EncoderUnsupported
from model.rows import Rows

BUCKETS: Final = (16, 32, 64, 128)
"""Tokens to which texts are filled up. Against one length, they save 31 % (of 64) to 47 % (of 128) of the work."""

BATCH_ROWS: Final = 32
"""Rows of a call. Throughput is flat from 8 to 32 upward; more only takes memory."""

_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
_CHARS_PER_TOKEN = 8  # of text that is looked at; a French word piece has about 4
_ROWS_A_PASS = 4_096

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Batch:
    """Rows of one length.

    Args:
        rows: Which rows they are.
        ids: Token ids [rows, tokens], filled up with the padding's id.
        segments: 0 for the first text's tokens, 1 for the second's.
        mask: 1 where there is a token.
    """

    rows: NDArray[np.int64]
    ids: Ints
    segments: Ints
    mask: Ints


@dataclass(frozen=True)
class Texts:
    """The tokens of some rows, whose lengths differ."""

    ids: Sequence[Ints]
    segments: Sequence[Ints]

    def take(self, rows: NDArray[np.int64]) -> "Texts":
        """The tokens of some of the rows."""
        return Texts([self.ids[row] for row in rows], [self.segments[row] for row in rows])


class Tokens:
    """A tokenizer set to a length.

    Args:
        tokenizer: The tokenizer, of transformers.
        pad: The padding's id.
        max_tokens: Most tokens of a row, the special ones included.
    """

    def __init__(self, tokenizer: Any, pad: int, max_tokens: int) -> None:
        self.pad = pad
        self.max_tokens = max_tokens
        self.buckets = (*(size for size in BUCKETS if size < max_tokens), max_tokens)
        self._tokenizer = tokenizer.backend_tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens, strategy="longest_first")
        self._tokenizer.encode_special_tokens = True  # a text that says "[PAD]" is a text

    def of(self, rows: Rows) -> Texts:
        """The tokens of rows, in their order. Of a row too long for both, the longer text is cut first."""
        limit = _CHARS_PER_TOKEN * self.max_tokens
        ids: list[Ints] = []
        segments: list[Ints] = []
        for start in range(0, len(rows), _ROWS_A_PASS):
            part = slice(start, start + _ROWS_A_PASS)
            texts = [
                _one_or_two(clean(title, limit, keep_case=True), clean(description, limit, keep_case=True))
                for title, description in zip(rows.raw_titles[part], rows.raw_descriptions[part], strict=True)
            ]
            for encoding in self._tokenizer.encode_batch_fast(texts):
                ids.append(np.array(encoding.ids, np.int32))
                segments.append(np.array(encoding.type_ids, np.int32))
        return Texts(ids, segments)

    def batches(self, texts: Texts, rng: np.random.Generator | None = None) -> Iterator[Batch]:
        """Batches of one bucket each, of at most ``BATCH_ROWS`` rows; a row's bucket depends on that row alone.

        Args:
            texts: The tokens.
            rng: Shuffles rows and batches, for training.
        """
        lengths = np.array([len(ids) for ids in texts.ids])
        bucket = np.searchsorted(self.buckets, lengths)
        order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
        groups = [
            (size, rows[start : start + BATCH_ROWS])
            for number, size in enumerate(self.buckets)
            for rows in [order[bucket[order] == number]]
            for start in range(0, len(rows), BATCH_ROWS)
        ]
        turns = range(len(groups)) if rng is None else rng.permutation(len(groups))
        for turn in turns:
            yield self._batch(texts, *groups[turn])

    def _batch(self, texts: Texts, size: int, rows: NDArray[np.int64]) -> Batch:
        ids, segments = np.full((len(rows), size), self.pad, np.int32), np.zeros((len(rows), size), np.int32)
        mask = np.zeros((len(rows), size), np.int32)
        for line, row in enumerate(rows):
            length = len(texts.ids[row])
            ids[line, :length], segments[line, :length] = texts.ids[row], texts.segments[row]
            mask[line, :length] = 1
        return Batch(rows, ids, segments, mask)


def read_tokenizer(directory: Path) -> Any:
    """The tokenizer of a directory, of transformers.

    Raises:
        EncoderInvalid: Its files are missing or cannot be used.
        EncoderUnsupported: It has no fast form.
    """
    if not any((directory / name).is_file() for name in _TOKENIZER_FILES):  # else it would be an empty one
        raise EncoderInvalid(
            f"{directory} has no tokenizer.json.", hint="Copy the directory again, with all of its files."
        )
    try:
        tokenizer = transformers().AutoTokenizer.from_pretrained(
            str(directory), local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # what a broken file raises there is nowhere said
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EncoderInvalid(
            f"The tokenizer of {directory} cannot be loaded: {line.rstrip('.')}.", hint="It needs a tokenizer.json."
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise EncoderUnsupported(f"The tokenizer of {directory} has no tokenizer.json.", hint="Save it as one.")
    return tokenizer


def _one_or_two(title: str, description: str) -> str | tuple[str, str]:
    return (title, description) if title and description else title or description
