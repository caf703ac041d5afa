"""Sums of the index files: 32 bits for each block of their entries, all in one file of the segment.

Who finds a row sees by the row's key that the index is right. Who finds none sees it by these alone: a damaged index
would say of whoever is there that they are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from shared.authcache.base.format.hashing import ENTRY_BYTES

INDEX = ".index"
"""The end of the names of the files that have sums, one file after the other in the order of their names."""
SUMS_FILE = "indexes.sums"
SUM_BYTES = 4
BLOCK = 64
"""Entries that have one sum: the fewer, the less has to be read for a look-up that finds nothing."""
BLOCK_BYTES = BLOCK * ENTRY_BYTES


def sum_of(block: bytes | memoryview[int], number: int) -> int:
    """The sum of the entries of the block of that number in its file."""
    return crc32(block, number)


def first_sums(sizes: Iterable[tuple[str, int]]) -> dict[str, int]:
    """By index file the place of its first sum, from the names and sizes of a segment's files."""
    first: dict[str, int] = {}
    place = 0
    for name, size in sorted(sizes):
        if name.endswith(INDEX):
            first[name] = place
            place += -(-size // BLOCK_BYTES)
    return first


def write_sums(folder: Path) -> None:
    """Write the sums of the index files that stand in the folder."""
    with (folder / SUMS_FILE).open("wb") as sums:
        for path in sorted(folder.glob(f"*{INDEX}"), key=lambda one: one.name):
            number = 0
            with path.open("rb") as index:
                while block := index.read(BLOCK_BYTES):
                    sums.write(sum_of(block, number).to_bytes(SUM_BYTES, "little"))
                    number += 1
