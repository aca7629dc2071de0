"""The variables of a SavedModel as NumPy arrays, read without TensorFlow and without copying them into memory.

They lie as they are in one file, and an index says where: a sorted table as LevelDB writes it (its document "Table
file format"), whose values are messages ``BundleEntryProto`` of TensorFlow's tensor_bundle.proto.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import BundleInvalid

_DATA: Final = "variables/variables.data-00000-of-00001"
_INDEX: Final = "variables/variables.index"
_MAGIC: Final = 0xDB4775248B80FB57
_FOOTER: Final = 48
_TYPES: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype("<f4"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
}  # of TensorFlow's DataType
_NAME: Final = re.compile(r"variables/(\d+)/")
_MORE: Final = 0x80


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def variables(saved_model: Path) -> list[NDArray[Any]]:
    """A network's variables, in the order in which it made them, read as they are looked at.

    Args:
        saved_model: Its directory.

    Raises:
        BundleInvalid: They are not there, or not as this can read them.
    """
    try:
        index = (saved_model / _INDEX).read_bytes()
        named = {int(found[1]): value for name, value in _table(index) if (found := _NAME.match(name.decode()))}
        return [_array(saved_model / _DATA, _entry(named[number])) for number in sorted(named)]
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise BundleInvalid(f"The variables of {saved_model} cannot be read: {error!r}.") from error


def _array(path: Path, entry: _Entry) -> NDArray[Any]:
    if entry.shard:
        raise ValueError("they lie in more than one file")
    if not entry.size:
        return np.zeros(entry.shape, _TYPES[entry.dtype])
    return np.asarray(np.memmap(path, _TYPES[entry.dtype], "r", entry.offset, entry.shape))


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a sorted table."""
    if int.from_bytes(data[-8:], "little") != _MAGIC:
        raise ValueError("the index is no sorted table")
    footer = len(data) - _FOOTER
    _, place = _varint(data, footer)
    _, place = _varint(data, place)  # of what describes the table
    for _, handle in _block(data, place):
        yield from _block(data=handle, place=0, of=data)


def _block(data: bytes, place: int, of: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
    """The entries of the block that a handle names."""
    offset, place = _varint(data, place)
    size, _ = _varint(data, place)
    whole = data if of is None else of
    if whole[offset + size]:
        raise ValueError("the index is compressed")
    block = whole[offset : offset + size]
    end = size - 4 * (int.from_bytes(block[-4:], "little") + 1)
    key, at = b"", 0
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _entry(message: bytes) -> _Entry:
    fields = dict(_fields(message))
    sizes = [dict(_fields(dim)).get(1, 0) for number, dim in _fields(fields.get(2, b"")) if number == 2]
    return _Entry(fields.get(1, 0), tuple(sizes), fields.get(3, 0), fields.get(4, 0), fields.get(5, 0))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}[kind]
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & ~_MORE) << shift
        at, shift = at + 1, shift + 7
        if byte < _MORE:
            return value, at
