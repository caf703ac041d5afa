"""Which feeds there are. Adding one: write its adapter and its mapping, name them here, give it its settings."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.diamonds.ingestion import mapping as mappings
from shared.diamonds.settings import DiamondSettings, settings
from shared.platform.errors import NotFound, TerminalError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from collections.abc import Mapping as Values

    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.ingestion.suppliers.base import Supplier
    from shared.diamonds.ingestion.suppliers.trading import Trading
    from shared.diamonds.models import FeedName


NO_FEED = "none"
"""What FEEDS says where no supplier is known yet, as after a first provisioning."""


@dataclass(frozen=True, slots=True)
class _Feed:
    """How a feed is opened, where its payloads hold what, in which unit its prices are, and whether it takes holds."""

    open: Callable[[], Supplier]
    mapping: Mapping
    price_unit: Callable[[DiamondSettings], PriceUnit]
    trades: Callable[[DiamondSettings], bool] = lambda _: False
    places: Callable[[DiamondSettings], Values[str, str]] = lambda _: {}


def _nivoda() -> Supplier:
    from shared.diamonds.ingestion.suppliers.nivoda import Nivoda  # noqa: PLC0415 - loads in the activity that needs it

    return Nivoda.from_settings()


def _brilliant() -> Supplier:
    from shared.diamonds.ingestion.suppliers.brilliant import Brilliant  # noqa: PLC0415 - loads in the activity that needs it

    return Brilliant.from_settings()


_FEEDS = {
    "nivoda": _Feed(
        _nivoda,
        mappings.NIVODA,
        lambda config: config.nivoda_price_unit,
        lambda config: config.nivoda_trading,
        lambda config: config.nivoda_fields,
    ),
    "brilliant": _Feed(_brilliant, mappings.BRILLIANT, lambda config: config.brilliant_price_unit),
}


def supplier(feed: FeedName) -> Supplier:
    """The supplier of a feed, to be opened with `async with`.

    Raises:
        NotFound: no supplier goes by that name.
        TerminalError: the feed's settings are missing.
    """
    return _feed(feed).open()


def mapping(feed: FeedName) -> Mapping:
    """Where the feed's payloads hold what, as its settings may say otherwise. Raises NotFound as above."""
    entry = _feed(feed)
    return entry.mapping.at(entry.places(settings()))


def price_unit(feed: FeedName) -> PriceUnit:
    """The unit of the feed's prices. Raises NotFound as above."""
    return _feed(feed).price_unit(settings())


def trades(feed: FeedName) -> bool:
    """Whether the feed's supplier takes our holds and orders: then its `trading` is there."""
    entry = _FEEDS.get(feed)
    return entry is not None and entry.trades(settings())


@asynccontextmanager
async def open_trading(feed: FeedName) -> AsyncGenerator[Trading]:
    """Holds and orders of a feed's supplier, open within the block.

    Raises:
        NotFound: no supplier goes by that name.
        TerminalError: the feed's settings are missing, or it takes neither (`no-trading`).
    """
    async with supplier(feed) as opened:
        if opened.trading is None:
            raise TerminalError(f"The feed {feed} takes no holds and no orders.", code="no-trading")
        yield opened.trading


def check_feed(feed: FeedName) -> None:
    """See that there is such a feed. Raises NotFound as above."""
    _feed(feed)


def feed_names() -> list[FeedName]:
    """Every feed that there is."""
    return list(_FEEDS)


def nightly_feeds() -> list[FeedName]:
    """The feeds that are read every night, as FEEDS names them; none where it says `none`."""
    feeds = settings().feeds
    return [] if feeds == NO_FEED else feeds.split(",")


def _feed(feed: FeedName) -> _Feed:
    entry = _FEEDS.get(feed)
    if entry is None:
        raise NotFound(
            f"There is no feed named {feed!r}.",
            code="unknown-feed",
            remedy=f"The feeds are: {', '.join(_FEEDS)}.",
        )
    return entry
