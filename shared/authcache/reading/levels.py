"""What a view is made of: overlays in memory, as the tail of the log is, over the levels of the base."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from shared.authcache.log.records import Change, Put
from shared.authcache.tables import R, Row, Table


class Level(Protocol):
    """Rows as of some LSN; a level may also say that a row of those below is no more."""

    async def get(self, table: Table[R], row_id: str) -> tuple[bool, R | None]:
        """Whether this level knows the id, and the row; (True, None) says that it is no more."""
        ...

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """The rows of this level that have the key in that index."""
        ...


_NONE: dict[str, dict[str, None]] = {}


class Overlay:
    """Rows in memory, which records change."""

    __slots__ = ("_keys", "_rows")

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Row | None]] = {}
        self._keys: dict[tuple[str, str], dict[str, dict[str, None]]] = {}

    def get(self, table: Table[R], row_id: str) -> tuple[bool, R | None]:
        """As Level says."""
        rows: Any = self._rows.get(table.name)
        return (True, rows[row_id]) if rows and row_id in rows else (False, None)

    def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """As Level says."""
        if not self._keys or not (ids := self._keys.get((table.name, index), _NONE).get(key)):
            return []
        rows: Any = self._rows[table.name]
        return [rows[one] for one in ids]

    def apply(self, changes: Iterable[Change]) -> None:
        """Take changes in, in their order."""
        for change in changes:
            table, row = change.table, change.row if isinstance(change, Put) else None
            row_id = change.row.id if isinstance(change, Put) else change.id
            rows = self._rows.setdefault(table.name, {})
            earlier = rows.get(row_id)
            for index in table.indexes:
                keys = self._keys.setdefault((table.name, index), {})
                if earlier is not None:
                    _forget(keys, table.key(index, earlier), row_id)
                if row is not None:
                    keys.setdefault(table.key(index, row), {})[row_id] = None
            rows[row_id] = row

    def rows(self, table: Table[R]) -> dict[str, R | None]:
        """The table's rows by their ids, None for those that are no more."""
        rows: Any = self._rows.get(table.name, {})
        return rows


def _forget(keys: dict[str, dict[str, None]], key: str, row_id: str) -> None:
    ids = keys[key]
    del ids[row_id]
    if not ids:
        del keys[key]
