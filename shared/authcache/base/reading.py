"""A segment as a level: look-ups by hash in its index files, and rows by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from shared.authcache.base.format.columns import from_text
from shared.authcache.base.format.hashing import hash_of
from shared.authcache.base.format.names import ID, index_file
from shared.authcache.base.manifest import Segment
from shared.authcache.tables import R, Table
from shared.platform.errors import TransientError


class CorruptBase(TransientError):
    """A file of the base is not what was written. Instances fetch it anew."""

    code = "cache-corrupt"


class Files(Protocol):
    """Where the files of a segment are read."""

    async def rows_of(self, index: str, hashed: int) -> Sequence[int]:
        """The numbers of the rows whose key has that hash in that index file."""
        ...

    async def row(self, table: str, number: int) -> bytes:
        """The text of a row."""
        ...


class SegmentLevel:
    """A level of rows that stand in a segment."""

    __slots__ = ("_files", "_secret", "_tables", "segment")

    def __init__(self, segment: Segment, files: Files, hash_key: str) -> None:
        self.segment = segment
        self._tables = {name for name, part in segment.tables.items() if part.rows}
        self._files = files
        self._secret = bytes.fromhex(hash_key)

    async def get(self, table: Table[R], row_id: str) -> tuple[bool, R | None]:
        """As Level says. Raises CorruptBase; TransientError where files are read from blobs."""
        if table.name not in self._tables:
            return False, None
        for number in await self._files.rows_of(index_file(table.name, ID), hash_of(row_id, self._secret)):
            data = await self._files.row(table.name, number)
            row = self._row(table, data)
            if (data.decode() if row is None else row.id) == row_id:
                return True, row
        return False, None

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """As Level says. Raises as `get`."""
        if table.name not in self._tables:
            return []
        found: list[R] = []
        for number in await self._files.rows_of(index_file(table.name, index), hash_of(key, self._secret)):
            row = self._row(table, await self._files.row(table.name, number))
            if row is not None and table.key(index, row) == key:
                found.append(row)
        return found

    def _row(self, table: Table[R], data: bytes) -> R | None:
        try:
            return from_text(table, data)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise CorruptBase(f"A row of {self.segment.name}/{table.name} cannot be read.", retry_after=2) from error


def file_of(segment: Segment, name: str) -> Any:
    """The entry of that file in the manifest."""
    return next(file for file in segment.files if file.name == name)
