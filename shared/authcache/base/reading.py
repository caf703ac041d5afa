"""A segment as a level: look-ups by hash in its index files, of the rows that they name."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from shared.authcache.base.format.columns import reader_of
from shared.authcache.base.format.hashing import hasher
from shared.authcache.base.format.names import ID
from shared.authcache.base.manifest import CorruptBase, DamagedCopy, Segment
from shared.authcache.tables import TABLES, R, Table

_UNREADABLE = (ValueError, TypeError, ArithmeticError)


class Files(Protocol):
    """Where the files of a segment are read."""

    def texts(self, table: str, index: str, hashed: int) -> list[bytes] | Awaitable[list[bytes]]:
        """The texts of the table's rows whose key in that index has that hash: mostly one, or none.

        That there is none has been compared with the sums of the index.
        What lies on the disk is there at once; to wait for it as for blobs would cost a twentieth of a look-up.
        """
        ...

    def check(self, table: str, index: str, hashed: int) -> None:
        """See by the sums that `texts`, where it gave some, gave all. Raises CorruptBase."""
        ...

    def damaged(self, damage: str) -> CorruptBase:
        """What to raise where they say what cannot be."""
        ...

    @property
    def damage(self) -> DamagedCopy | None:
        """What was found of a copy on this machine's disk."""
        ...


class SegmentLevel:
    """A level of rows that stand in a segment."""

    __slots__ = ("_files", "_hash_of", "_readers", "_texts", "segment")

    def __init__(self, segment: Segment, files: Files, hash_key: str) -> None:
        self.segment = segment
        held = {name for name, part in segment.tables.items() if part.rows}
        self._readers = {name: reader_of(table) for name, table in TABLES.items() if name in held}
        self._files = files
        self._texts = files.texts
        self._hash_of = hasher(bytes.fromhex(hash_key))

    @property
    def damage(self) -> DamagedCopy | None:
        """What a look-up found of the copy on this machine's disk; None: nothing, or blobs are read."""
        return self._files.damage

    async def get(self, table: Table[R], row_id: str) -> tuple[bool, R | None]:
        """As Level says. Raises CorruptBase; TransientError where files are read from blobs."""
        reader = self._readers.get(table.name)
        if reader is None:
            return False, None
        hashed = self._hash_of(row_id)
        texts = self._texts(table.name, ID, hashed)
        if not isinstance(texts, list):
            texts = await texts
        for text in texts:
            try:
                row: Any = reader(text)
            except _UNREADABLE as error:
                raise self._corrupt(table) from error
            if (found_id := text.decode() if row is None else row.id) == row_id:
                return True, row
            self._check(table, found_id, row_id)
        if texts:
            self._files.check(table.name, ID, hashed)
        return False, None

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """As Level says. Raises as `get`."""
        reader = self._readers.get(table.name)
        if reader is None:
            return []
        hashed = self._hash_of(key)
        texts = self._texts(table.name, index, hashed)
        if not isinstance(texts, list):
            texts = await texts
        rows: list[R] = []
        for text in texts:
            try:
                row: Any = reader(text)
            except _UNREADABLE as error:
                raise self._corrupt(table) from error
            found_key = None if row is None else table.key(index, row)
            if row is not None and found_key == key:
                rows.append(row)
            else:
                self._check(table, found_key, key)
        if texts and (not rows or index != table.once):
            self._files.check(table.name, index, hashed)
        return rows

    def _check(self, table: Table[Any], key: str | None, expected: str) -> None:
        """Another row than the expected one has its hash, or the index or the rows are damaged."""
        if key is None or self._hash_of(key) != self._hash_of(expected):
            raise self._files.damaged(f"An index of {self.segment.name}/{table.name} names another row.")

    def _corrupt(self, table: Table[Any]) -> CorruptBase:
        return self._files.damaged(f"A row of {self.segment.name}/{table.name} cannot be read.")


def file_of(segment: Segment, name: str) -> Any:
    """The entry of that file in the manifest."""
    return next(file for file in segment.files if file.name == name)
