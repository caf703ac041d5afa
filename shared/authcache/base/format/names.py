"""The names of a segment's files: `rows` has the rows' texts, `ends` where each ends, an index finds them by a key."""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.authcache.tables import Table

READ_BY_REQUESTS = (".idx", ".ends", ".rows")
"""The ends of the names of the files that look-ups need; the others are for folds."""
ID = "id"
"""The index that every table has."""


def indexes(table: Table[Any]) -> tuple[str, ...]:
    """The table's indexes, that of the id first."""
    return (ID, *table.indexes)


def rows_file(table: str) -> str:
    return f"{table}.rows"


def ends_file(table: str) -> str:
    return f"{table}.ends"


@cache
def index_file(table: str, index: str) -> str:
    return f"{table}.{index}.idx"


def parquet_file(table: str) -> str:
    return f"{table}.parquet"
