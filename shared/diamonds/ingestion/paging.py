"""Reading a supplier's list to its end while it changes: by page tokens, or by offset without skipping what moves up.

By offset: a diamond that is sold or changes while a partition is paged through leaves the run's window, and all behind
it move up: the next page would begin too late. No count tells, since the one that left was seen and is no longer
counted. So each page is asked for from the last diamond read on; if another stands there, the reader goes back two
pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.diamonds.ingestion.models import Mark, Stone

RETREAT_PAGES = 2
"""What may leave between two requests, in pages, and nothing is skipped."""
MOST_RETREATS = 20
"""In a row, after which the supplier is taken to have no stable order, and is just read on."""


class Pages(Protocol):
    """The diamonds of a list from a mark on, each at least once.

    Attributes:
        offset: where the next page begins, or how many rows were read where the token says that.
        empty: how many pages held none and were not the last.
        token: what the supplier gave out to go on from; None for suppliers that have no tokens, and at the start.
        ended: the list was read to its end.
    """

    offset: int
    empty: int
    token: str | None
    ended: bool

    async def next(self) -> list[Stone]:
        """The next page's diamonds, which may be few or none; whether more follow says `ended`.

        Raises:
            TerminalError: the supplier goes round in a circle (`repeated-page-token`).
        """
        ...


class TokenPages:
    """Pages of a supplier that tells with each where the next begins. Nothing moves up, so nothing is read twice."""

    def __init__(self, page: Callable[[str | None], Awaitable[tuple[list[Stone], str | None]]], start: Mark) -> None:
        self._page = page
        self.ended = False
        self.offset = start.next_offset
        self.empty = start.empty_pages
        self.token = start.next_token
        self._seen = {start.next_token}

    async def next(self) -> list[Stone]:
        """As the port says. An empty page that names a next one is not the end."""
        if self.ended:
            return []
        stones, following = await self._page(self.token)
        self.offset += len(stones)
        self.ended = not following
        if following:
            if following in self._seen:
                raise TerminalError(
                    "The supplier names a page as the next one that was read before.",
                    code="repeated-page-token",
                    remedy="See whether the supplier's paging works.",
                )
            self._seen.add(following)
            self.empty += not stones
            # The last page's own token is kept: who goes on from here reads that page again, and finds the end.
            self.token = following
        return stones


class OffsetPages:
    """Pages of a supplier that is asked for an offset, which falls back when diamonds have left the list."""

    token: str | None = None
    empty = 0
    ended = False

    def __init__(self, page: Callable[[int, int], Awaitable[list[Stone]]], start: Mark, page_size: int) -> None:
        self._page_at = page
        self._page_size = page_size
        offset = start.next_offset
        self._last: Stone | None = None
        self._furthest = offset
        self._retreats = 0
        # Nobody knows what left since the reader before this one stopped.
        self.offset = self._back(offset)

    async def next(self) -> list[Stone]:
        """As the port says. Only an empty page is the end."""
        if self._last and self._retreats < MOST_RETREATS:
            stones = await self._page(self.offset - 1)
            if not stones or not _same(stones[0], self._last):
                self._retreats += 1
                self.offset = self._back(self.offset)
            elif len(stones) > 1:
                return self._take(stones[1:])
        return self._take(await self._page(self.offset))

    async def _page(self, offset: int) -> list[Stone]:
        return await self._page_at(offset, self._page_size)

    def _back(self, offset: int) -> int:
        return max(offset - RETREAT_PAGES * self._page_size, 0)

    def _take(self, stones: list[Stone]) -> list[Stone]:
        self.ended = not stones
        if stones:
            self._last = stones[-1]
            self.offset += len(stones)
        if self.offset > self._furthest:
            self._furthest = self.offset
            self._retreats = 0 if self._retreats < MOST_RETREATS else MOST_RETREATS
        return stones


def _same(one: Stone, other: Stone) -> bool:
    if one.supplier_stone_id or other.supplier_stone_id:
        return one.supplier_stone_id == other.supplier_stone_id
    return one.payload == other.payload
