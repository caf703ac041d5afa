"""Index files: sorted 64-bit numbers, of which the upper half is a key's hash and the lower one a row's number."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from math import isqrt

ENTRY_BYTES = 8
HASHES = 1 << 32
_ROW = HASHES - 1
_FEW = 64
_NEAR = 256
_SPREAD = 4
"""Keys are hashed evenly: further than this many standard deviations from where it is expected, nearly none stands."""


def hash_of(key: str, secret: bytes) -> int:
    """The hash of a key, 32 bits."""
    return int.from_bytes(blake2b(key.encode(), digest_size=4, key=secret).digest(), "big")


def hashes_of(keys: Iterable[bytes], secret: bytes) -> bytes:
    """The hashes of many keys in UTF-8, each as four bytes, the highest first."""
    return b"".join([blake2b(key, digest_size=4, key=secret).digest() for key in keys])


def expected(hashed: int, entries: int) -> tuple[int, int]:
    """From where to where entries of that hash are to be expected; they may stand elsewhere."""
    middle = (hashed * entries) >> 32
    reach = _FEW + _SPREAD * isqrt(entries) // 2
    return max(0, middle - reach), min(entries, middle + reach)


def rows_of(entries: Sequence[int], hashed: int, low: int = 0, high: int | None = None) -> list[int]:
    """The numbers of the rows whose key has that hash, among the entries from `low` to `high`."""
    high = len(entries) if high is None else high
    place = bisect_left(entries, hashed << 32, low, high)
    found: list[int] = []
    while place < len(entries) and (entry := entries[place]) >> 32 == hashed:
        found.append(entry & _ROW)
        place += 1
    return found


def guessed_rows(entries: Sequence[int], hashed: int) -> list[int]:
    """The same, looked for first where they are to be expected.

    The entry in the middle of that tells how far off the guess was; what is left is a few cache lines to search.
    """
    count = len(entries)
    first = hashed << 32
    middle = (hashed * count) >> 32
    if middle < count:
        middle += ((first - entries[middle]) * count) >> 64
    low, high = max(0, middle - _NEAR), min(count, middle + _NEAR)
    if low >= high:
        return rows_of(entries, hashed)
    place = bisect_left(entries, first, low, high)
    if (place == low and low) or (place == high and high < count):
        return rows_of(entries, hashed)
    found: list[int] = []
    while place < count and (entry := entries[place]) >> 32 == hashed:
        found.append(entry & _ROW)
        place += 1
    return found
