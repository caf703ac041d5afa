"""The names of a segment's files: `slots` has the rows' texts, an index finds them there by a key."""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.authcache.tables import Table

READ_BY_REQUESTS = (".index", ".slots", ".sums")
"""The ends of the names of the files that look-ups need; the others are for folds."""
ID = "id"
"""The index that every table has."""


def indexes(table: Table[Any]) -> tuple[str, ...]:
    """The table's indexes, that of the id first."""
    return (ID, *table.indexes)


@cache
def slots_file(table: str) -> str:
    """The file with the texts of the table's rows."""
    return f"{table}.slots"


@cache
def index_file(table: str, index: str) -> str:
    """The file that finds rows by the keys of one index."""
    return f"{table}.{index}.index"


def parquet_file(table: str) -> str:
    """The file with the table's rows in full, from which the next fold goes on."""
    return f"{table}.parquet"
