"""Makes index files, and reads them whole: what a fold does with the tables that `hashing` describes. Loads numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.format.hashing import EMPTY, homes_of

Hashes = NDArray[np.uint32]
Entries = NDArray[np.uint64]
_HALF = np.uint64(32)
_SLOT = np.uint64(EMPTY)


def entries_of(hashes: Hashes, slots: Entries) -> Entries:
    """The entry of each row: its key's hash over its slot."""
    return (hashes.astype(np.uint64) << _HALF) | slots


def table_of(entries: Entries) -> Entries:
    """The table of these entries, which are sorted in place."""
    entries.sort()
    homes, count = homes_of(len(entries)), np.arange(len(entries))
    home = ((entries >> _HALF) * np.uint64(homes) >> _HALF).astype(np.int64)
    places = np.maximum.accumulate(home - count) + count
    end = max(homes, int(places[-1]) + 1 if len(places) else 0)
    after = np.minimum(np.arange(1, end + 2, dtype=np.uint64), np.uint64(homes))
    table = (((after << _HALF) - np.uint64(1)) // np.uint64(homes) << _HALF) | _SLOT
    table[places] = entries
    return table


def slots_in_order(table: Entries) -> Entries:
    """The slots that the index of the id names, which are those of all rows, in their order."""
    slots = table & _SLOT
    return np.sort(slots[slots != _SLOT])


def hashes_by_row(table: Entries, slots: Entries) -> Hashes:
    """The hash of each row's key, as an index file holds it; rows that the index does not hold have none (0).

    `slots` are those of all rows in their order.
    """
    hashes = np.zeros(len(slots), np.uint32)
    entries = table[table & _SLOT != _SLOT]
    hashes[np.searchsorted(slots, entries & _SLOT)] = (entries >> _HALF).astype(np.uint32)
    return hashes
