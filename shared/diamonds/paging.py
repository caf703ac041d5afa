"""Reading by offset from a list that shrinks meanwhile, without skipping what moves up.

A diamond that is sold or changes while a partition is paged through leaves the run's window, and all behind it move up:
the next page would begin too late. No count tells, since the one that left was seen and is no longer counted. So each
page is asked for from the last diamond read on; if another stands there, the reader goes back two pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.diamonds.models import PriceRange, Stone, Window
    from shared.diamonds.suppliers.base import Supplier

RETREAT_PAGES = 2
"""What may leave between two requests, in pages, and nothing is skipped."""
MOST_RETREATS = 20
"""In a row, after which the supplier is taken to have no stable order, and is just read on."""


class PageReader:
    """The diamonds of a price range from an offset on, each at least once.

    Attributes:
        offset: where the next page begins. It falls back when diamonds have left.
    """

    def __init__(
        self, supplier: Supplier, prices: PriceRange, window: Window, *, offset: int, page_size: int = 50
    ) -> None:
        self._supplier = supplier
        self._prices = prices
        self._window = window
        self._page_size = page_size
        self._last: Stone | None = None
        self._furthest = offset
        self._retreats = 0
        # Nobody knows what left since the reader before this one stopped.
        self.offset = self._back(offset)

    async def next(self) -> list[Stone]:
        """The next diamonds. It may be fewer than a page; none: the list has ended."""
        if self._last and self._retreats < MOST_RETREATS:
            stones = await self._page(self.offset - 1)
            if not stones or not _same(stones[0], self._last):
                self._retreats += 1
                self.offset = self._back(self.offset)
            elif len(stones) > 1:
                return self._take(stones[1:])
        return self._take(await self._page(self.offset))

    async def _page(self, offset: int) -> list[Stone]:
        return await self._supplier.page(self._prices, self._window, offset, self._page_size)

    def _back(self, offset: int) -> int:
        return max(offset - RETREAT_PAGES * self._page_size, 0)

    def _take(self, stones: list[Stone]) -> list[Stone]:
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
