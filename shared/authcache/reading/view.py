"""A view: the rows as an instance knows them, at one LSN or newer."""

from __future__ import annotations

from collections.abc import Sequence

from shared.authcache.log.groups import Lsn
from shared.authcache.models import Share, User
from shared.authcache.reading.levels import Level
from shared.authcache.tables import SEPARATOR, SHARES, USERS, R, Table


class View:
    """Look-ups in rows at `lsn`. A view that is held while the instance goes on gets newer, never older.

    The look-ups are coroutines since an instance that has just started reads from blobs; from then on they answer
    without giving way to anything else.
    """

    __slots__ = ("_levels", "lsn")

    def __init__(self, lsn: Lsn, levels: Sequence[Level]) -> None:
        self.lsn = lsn
        self._levels = tuple(levels)

    @property
    def levels(self) -> Sequence[Level]:
        """What the view consists of, the newest first."""
        return self._levels

    async def user_by_address(self, address: str) -> User | None:
        """The user who has that address."""
        return await self._first(USERS, "address", address)

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        return await self.get(USERS, user_id)

    async def share(self, owner: str, viewer: str) -> Share | None:
        """What that owner shares with that address; whether it has expired is the caller's to see."""
        return await self._first(SHARES, "pair", f"{owner}{SEPARATOR}{viewer}")

    async def shared_by(self, owner: str) -> list[Share]:
        """What that user shares, with whomever."""
        return await self.find(SHARES, "owner", owner)

    async def shared_with(self, address: str) -> list[Share]:
        """What is shared with that address, by whomever."""
        return await self.find(SHARES, "viewer", address)

    async def get(self, table: Table[R], row_id: str) -> R | None:
        """The row of that id."""
        for level in self._levels:
            known, row = await level.get(table, row_id)
            if known:
                return row
        return None

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """The rows that have this key in that index, those of the newest level first."""
        found: list[R] = []
        for depth, level in enumerate(self._levels):
            rows = await level.find(table, index, key)
            found += [row for row in rows if not await self._superseded(table, row.id, depth)]
        return found

    def under(self, level: Level) -> View:
        """The same rows with a newer level over them."""
        return View(self.lsn, (level, *self._levels))

    async def _first(self, table: Table[R], index: str, key: str) -> R | None:
        """The newest row of this key, where there is one at most."""
        for depth, level in enumerate(self._levels):
            for row in await level.find(table, index, key):
                if not depth or not await self._superseded(table, row.id, depth):
                    return row
        return None

    async def _superseded(self, table: Table[R], row_id: str, depth: int) -> bool:
        """Whether a level newer than the one at `depth` knows the row otherwise."""
        for level in self._levels[:depth]:
            if (await level.get(table, row_id))[0]:
                return True
        return False
