"""Index files: tables of 64-bit entries, of which the upper half is a key's hash and the lower one a row's slot.

An entry stands at the home of its hash, or as few places after it as those before it leave free, so that the table
is sorted too. A place that is empty holds the highest hash whose home it is, with a slot that no row has; one stands at
the end. So a look-up reads one or two places from the home on, and never has to ask whether the table has ended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

ENTRY_BYTES = 8
EMPTY = (1 << 32) - 1
"""The slot of a place that no row has."""
_NEAR = 16
"""Places that are looked at one by one; where more have a lower hash, some key has many rows, and they are halved."""


def homes_of(entries: int) -> int:
    """How many homes a table of so many entries has: a third stays empty, so that most stand where they belong."""
    return entries + entries // 2 + 1


def hasher(secret: bytes) -> Callable[[str], int]:
    """What gives the hash of a key, 32 bits. That the secret is taken up once, not for each key, saves a third."""
    copy = blake2b(digest_size=4, key=secret).copy

    def hash_of(key: str) -> int:
        digest = copy()
        digest.update(key.encode())
        return int.from_bytes(digest.digest(), "big")

    return hash_of


def hashes_of(keys: Iterable[bytes], secret: bytes) -> bytes:
    """The hashes of many keys in UTF-8, each as four bytes, the highest first."""
    copy = blake2b(digest_size=4, key=secret).copy
    hashes = bytearray()
    for key in keys:
        digest = copy()
        digest.update(key)
        hashes += digest.digest()
    return bytes(hashes)


def slots_of(table: Sequence[int], homes: int, hashed: int, begins: int = 0) -> tuple[list[int], int]:
    """The slots of the rows whose key has that hash, and the place behind them, which was looked at last.

    `table` has so many homes, or is the part of one from place `begins` on.

    Raises:
        IndexError: this is no whole table.
    """
    first = hashed << 32
    place = (hashed * homes >> 32) - begins
    near = place + _NEAR
    while (entry := table[place]) < first:
        place += 1
        if place == near:
            place = bisect_left(table, first, place)
    slots: list[int] = []
    while entry >> 32 == hashed and (slot := entry & EMPTY) != EMPTY:
        slots.append(slot)
        place += 1
        entry = table[place]
    return slots, place + begins
