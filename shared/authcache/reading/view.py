"""A view: the rows as an instance knows them, at one LSN or newer."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from shared.authcache.log.groups import Lsn
from shared.authcache.models import Share, User
from shared.authcache.reading.levels import Level, Overlay
from shared.authcache.tables import SEPARATOR, SHARES, USERS, R, Table


class View:
    """Look-ups in rows at `lsn`. A view that is held while the instance goes on gets newer, never older.

    The look-ups are coroutines since an instance that has just started reads from blobs; from then on they answer
    without giving way to anything else.
    """

    __slots__ = ("_base", "_overlays", "lsn")

    def __init__(self, lsn: Lsn, overlays: Sequence[Overlay], base: Sequence[Level]) -> None:
        """The newest first: overlays, which are in memory, lie over the levels of the base."""
        self.lsn = lsn
        self._overlays = tuple(overlays)
        self._base = tuple(base)

    def user_by_address(self, address: str) -> Awaitable[User | None]:
        """The user who has that address."""
        return self._first(USERS, "address", address)

    def user_by_id(self, user_id: str) -> Awaitable[User | None]:
        """The user of that id."""
        return self.get(USERS, user_id)

    def share(self, owner: str, viewer: str) -> Awaitable[Share | None]:
        """What that owner shares with that address; whether it has expired is the caller's to see."""
        return self._first(SHARES, "pair", f"{owner}{SEPARATOR}{viewer}")

    def shared_by(self, owner: str) -> Awaitable[list[Share]]:
        """What that user shares, with whomever."""
        return self.find(SHARES, "owner", owner)

    def shared_with(self, address: str) -> Awaitable[list[Share]]:
        """What is shared with that address, by whomever."""
        return self.find(SHARES, "viewer", address)

    async def get(self, table: Table[R], row_id: str) -> R | None:
        """The row of that id."""
        for overlay in self._overlays:
            decided, row = overlay.get(table, row_id)
            if decided:
                return row
        for level in self._base:
            decided, row = await level.get(table, row_id)
            if decided:
                return row
        return None

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        """The rows that have this key in that index, those of the newest level first."""
        rows = self._in_overlays(table, index, key)
        for depth, level in enumerate(self._base):
            for row in await level.find(table, index, key):
                if not (self._in_overlay(table, row.id) or (depth and await self._above(table, row.id, depth))):
                    rows.append(row)
        return rows

    def under(self, overlay: Overlay) -> View:
        """The same rows with a newer overlay over them."""
        return View(self.lsn, (overlay, *self._overlays), self._base)

    async def _first(self, table: Table[R], index: str, key: str) -> R | None:
        """The newest row of this key, where there is one at most."""
        if newer := self._in_overlays(table, index, key):
            return newer[0]
        for depth, level in enumerate(self._base):
            for row in await level.find(table, index, key):
                if not (self._in_overlay(table, row.id) or (depth and await self._above(table, row.id, depth))):
                    return row
        return None

    def _in_overlays(self, table: Table[R], index: str, key: str) -> list[R]:
        if len(self._overlays) == 1:
            return self._overlays[0].find(table, index, key)
        matches: list[R] = []
        for depth, overlay in enumerate(self._overlays):
            rows = overlay.find(table, index, key)
            matches += [row for row in rows if not any(newer.get(table, row.id)[0] for newer in self._overlays[:depth])]
        return matches

    def _in_overlay(self, table: Table[R], row_id: str) -> bool:
        """Whether an overlay knows the row, otherwise than the base does or as no more."""
        for overlay in self._overlays:  # noqa: SIM110 - a generator costs a twentieth of a look-up
            if overlay.get(table, row_id)[0]:
                return True
        return False

    async def _above(self, table: Table[R], row_id: str, depth: int) -> bool:
        """Whether a newer level of the base than the one at `depth` knows the row otherwise."""
        for level in self._base[:depth]:
            if (await level.get(table, row_id))[0]:
                return True
        return False
