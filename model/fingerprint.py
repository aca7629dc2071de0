"""FarmHash's 64-bit fingerprint of bytes, which names words and never changes.

After Pike's FarmHash (2014, function ``farmhashna::Hash64``), as TensorFlow's ``to_hash_bucket_fast`` uses it; written
here in Python, so that a process without TensorFlow finds the same buckets.
"""

from typing import Final

_M: Final = (1 << 64) - 1
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F

_SHORT: Final = 16
_MIDDLE: Final = 32
_LONG: Final = 64

Pair = tuple[int, int]


def fingerprint64(data: bytes) -> int:
    """The fingerprint, from 0 to 2^64 - 1."""
    size = len(data)
    if size <= _SHORT:
        return _to_16(data, size)
    if size <= _MIDDLE:
        return _to_32(data, size)
    return _to_64(data, size) if size <= _LONG else _above_64(data, size)


def _at(data: bytes, place: int, size: int = 8) -> int:
    return int.from_bytes(data[place : place + size], "little")


def _turned(value: int, bits: int) -> int:
    value &= _M
    return (value >> bits | value << (64 - bits)) & _M


def _shifted(value: int) -> int:
    value &= _M
    return value ^ (value >> 47)


def _both(first: int, second: int, factor: int) -> int:
    one = _shifted((first ^ second) * factor)
    return (_shifted((second ^ one) * factor) * factor) & _M


def _to_16(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    if size >= 8:
        first, last = (_at(data, 0) + _K2) & _M, _at(data, size - 8)
        return _both((_turned(last, 37) * factor + first) & _M, ((_turned(first, 25) + last) * factor) & _M, factor)
    if size >= 4:
        return _both(size + (_at(data, 0, 4) << 3), _at(data, size - 4, 4), factor)
    if size:
        low, high = data[0] + (data[size >> 1] << 8), size + (data[size - 1] << 2)
        return (_shifted(low * _K2 ^ high * _K0) * _K2) & _M
    return _K2


def _to_32(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    a, b = _at(data, 0) * _K1, _at(data, 8)
    c, d = _at(data, size - 8) * factor, _at(data, size - 16) * _K2
    return _both((_turned(a + b, 43) + _turned(c, 30) + d) & _M, (a + _turned(b + _K2, 18) + c) & _M, factor)


def _to_64(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    a, b = _at(data, 0) * _K2, _at(data, 8)
    c, d = _at(data, size - 8) * factor, _at(data, size - 16) * _K2
    y = (_turned(a + b, 43) + _turned(c, 30) + d) & _M
    z = _both(y, (a + _turned(b + _K2, 18) + c) & _M, factor)
    e, f = _at(data, 16) * factor, _at(data, 24)
    g, h = (y + _at(data, size - 32)) * factor, (z + _at(data, size - 24)) * factor
    return _both((_turned(e + f, 43) + _turned(g, 30) + h) & _M, (e + _turned(f + a, 18) + g) & _M, factor)


def _weak(data: bytes, place: int, a: int, b: int) -> Pair:
    w, x, y, z = (_at(data, place + 8 * number) for number in range(4))
    a += w
    b, c = _turned(b + a + z, 21), a
    a += x + y
    b += _turned(a, 44)
    return (a + z) & _M, (b + c) & _M


def _above_64(data: bytes, size: int) -> int:
    x, y = 81, (81 * _K1 + 113) & _M
    z = (_shifted(y * _K2 + 113) * _K2) & _M
    v: Pair = (0, 0)
    w: Pair = (0, 0)
    x = (x * _K2 + _at(data, 0)) & _M
    end = (size - 1) // 64 * 64
    for place in range(0, end, 64):
        x, y, z, v, w = _round(data, place, (x, y, z), v, w)
    factor = _K1 + ((z & 0xFF) << 1)
    first = w[0] + ((size - 1) & 63)
    v = ((v[0] + first) & _M, v[1])
    w = ((first + v[0]) & _M, w[1])
    return _last(data, size - 64, (x, y, z), v, w, factor)


def _round(data: bytes, place: int, xyz: tuple[int, int, int], v: Pair, w: Pair) -> tuple[int, int, int, Pair, Pair]:
    x, y, z = xyz
    x = _turned(x + y + v[0] + _at(data, place + 8), 37) * _K1 ^ w[1]
    y = _turned(y + v[1] + _at(data, place + 48), 42) * _K1 + v[0] + _at(data, place + 40)
    z = _turned(z + w[0], 33) * _K1
    v = _weak(data, place, v[1] * _K1, x + w[0])
    w = _weak(data, place + 32, z + w[1], y + _at(data, place + 16))
    return z & _M, y & _M, x & _M, v, w


def _last(data: bytes, place: int, xyz: tuple[int, int, int], v: Pair, w: Pair, factor: int) -> int:
    x, y, z = xyz
    x = (_turned(x + y + v[0] + _at(data, place + 8), 37) * factor & _M) ^ (w[1] * 9 & _M)
    y = (_turned(y + v[1] + _at(data, place + 48), 42) * factor + v[0] * 9 + _at(data, place + 40)) & _M
    z = (_turned(z + w[0], 33) * factor) & _M
    v = _weak(data, place, v[1] * factor, x + w[0])
    w = _weak(data, place + 32, z + w[1], y + _at(data, place + 16))
    x, z = z, x
    return _both((_both(v[0], w[0], factor) + _shifted(y) * _K0 + z) & _M, (_both(v[1], w[1], factor) + x) & _M, factor)
