"""The port that every supplier of diamonds is reached through. A new supplier is one class with these members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from types import TracebackType

    from shared.diamonds.ingestion.models import Mark
    from shared.diamonds.ingestion.paging import Pages
    from shared.diamonds.ingestion.suppliers.trading import Trading
    from shared.diamonds.models import FeedName
    from shared.diamonds.runs.models import PriceRange, Window


class Supplier(Protocol):
    """A feed of diamonds, open between `async with` and its end.

    Every call waits for its turn under the rate limit of the supplier's account, has a time limit and a retry budget,
    and raises TransientError when the budget is spent and TerminalError when trying again cannot help.
    """

    @property
    def name(self) -> FeedName:
        """The feed's name, as in the tables and in the watermark."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def count(self, prices: PriceRange | None, window: Window) -> int:
        """How many diamonds changed within the window, of those in the price range (None: of all)."""
        ...

    def read(self, prices: PriceRange | None, window: Window, start: Mark) -> Pages:
        """The diamonds of a price range (None: all) from a mark on, in pages of the supplier's own size."""
        ...

    async def check(self) -> None:
        """See that the supplier answers and knows us; raises what any other call would."""
        ...

    @property
    def trading(self) -> Trading | None:
        """Holds and orders; None where the feed has none: then they are this shop's alone."""
        ...
