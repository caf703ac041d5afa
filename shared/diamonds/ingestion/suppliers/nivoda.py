"""The Nivoda feed: counts and pages of at most 50 diamonds, each a GraphQL query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.models import Stone
from shared.diamonds.ingestion.paging import OffsetPages
from shared.diamonds.ingestion.payloads import unreadable
from shared.diamonds.ingestion.suppliers.client import CHECK_SECONDS, RETRY_SECONDS, Client, counted, open_session
from shared.diamonds.ingestion.suppliers.nivoda_graphql import Account, NivodaGraphQL, pick
from shared.diamonds.ingestion.suppliers.nivoda_queries import COUNT, STABLE_ORDER, page
from shared.diamonds.ingestion.suppliers.nivoda_trading import NivodaTrading
from shared.diamonds.runs.models import PriceRange, Window
from shared.diamonds.settings import settings
from shared.platform.calls.rate_limit import RateLimit, rate_limit
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from aiohttp import ClientSession

    from shared.diamonds.ingestion.mapping import Mapping
    from shared.diamonds.ingestion.models import Mark
    from shared.diamonds.ingestion.paging import Pages
    from shared.diamonds.ingestion.suppliers.trading import Trading
    from shared.diamonds.models import FeedName


class Nivoda:
    """The port `Supplier` for Nivoda.

    Prices of ranges are whole dollars whatever unit the prices in the payloads have. Nivoda does not tell when a
    diamond last changed, only filters by it, so a stone's `source_updated_at` is None.
    """

    name: FeedName = "nivoda"

    def __init__(
        self,
        account: Account,
        limit: RateLimit,
        *,
        timeout_seconds: float = 30,
        page_size: int = 50,
        mapping: Mapping = NIVODA,
        session: Callable[[], ClientSession] = open_session,
        timing: Time | None = None,
    ) -> None:
        self._account = account
        self._page_size = page_size
        self._page_query = page(mapping)
        timing = timing or Time()
        self._client = Client(
            self.name, limit, timeout_seconds, secret=account.password, timing=timing, session=session
        )
        self._graphql = NivodaGraphQL(account, self._client, timing)

    @classmethod
    def from_settings(cls) -> Self:
        """Nivoda as the NIVODA_ settings say.

        Raises:
            TerminalError: the address or the credentials are missing.
        """
        config = settings()
        account = Account(
            config.nivoda_endpoint,
            config.nivoda_username,
            config.nivoda_password.get_secret_value(),
            config.nivoda_trading,
            config.nivoda_destination_id,
            config.nivoda_price_unit,
        )
        required = {
            "NIVODA_ENDPOINT": account.endpoint,
            "NIVODA_USERNAME": account.username,
            "NIVODA_PASSWORD": account.password,
        }
        if missing := [name for name, value in required.items() if not value]:
            raise TerminalError("The feed nivoda is not set up.", code="settings", remedy=f"Set {', '.join(missing)}.")
        limit = rate_limit(f"nivoda/{account.username}", config.nivoda_requests_per_second)
        return cls(
            account,
            limit,
            timeout_seconds=config.nivoda_timeout_seconds,
            page_size=config.nivoda_page_size,
            mapping=NIVODA.at(config.nivoda_fields),
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def count(self, prices: PriceRange | None, window: Window) -> int:
        """How many diamonds changed within the window, of those in the price range (None: of all)."""
        return await self._count(prices, window, RETRY_SECONDS)

    async def page(self, prices: PriceRange | None, window: Window, offset: int, limit: int) -> list[Stone]:
        """The diamonds from `offset` on, by the day they were listed. Only an empty page is the end."""
        variables = {"query": _query(prices, window), "offset": offset, "limit": limit, "order": STABLE_ORDER}

        async def attempt(max_wait_seconds: float) -> list[Stone]:
            data = await self._graphql.ask(self._page_query, variables, max_wait_seconds)
            items = cast("list[Any]", pick(data, "diamonds_by_query.items", list))
            return [_stone(item, number) for number, item in enumerate(items)]

        return await self._client.persist(attempt)

    def read(self, prices: PriceRange | None, window: Window, start: Mark) -> Pages:
        """The diamonds of a price range from a mark on."""
        return OffsetPages(lambda offset, limit: self.page(prices, window, offset, limit), start, self._page_size)

    async def check(self) -> None:
        """See that Nivoda answers and knows us, without insisting; raises what any other call would."""
        now = datetime.now(UTC)
        await self._count(PriceRange(minimum=0, maximum=1), Window(since=now, until=now), CHECK_SECONDS)

    @property
    def trading(self) -> Trading | None:
        """Holds and orders, if the account may have them."""
        account = self._account
        return NivodaTrading(self._graphql.ask, account.price_unit, account.destination) if account.trades else None

    async def _count(self, prices: PriceRange | None, window: Window, seconds: float) -> int:
        async def attempt(max_wait_seconds: float) -> int:
            data = await self._graphql.ask(COUNT, {"query": _query(prices, window)}, max_wait_seconds)
            return counted(self.name, pick(data, "diamonds_by_query_count", int))

        return await self._client.persist(attempt, seconds)


def _query(prices: PriceRange | None, window: Window) -> dict[str, Any]:
    query: dict[str, Any] = {
        "updated": {"from": window.since.astimezone(UTC).isoformat(), "to": window.until.astimezone(UTC).isoformat()}
    }
    if prices:
        query["dollar_value"] = {"from": prices.minimum, "to": prices.maximum - 1}
    return query


def _stone(item: Any, number: int) -> Stone:
    """The diamond in an item. One that is no object or has no id is kept: it fails when it is mapped."""
    if not isinstance(item, dict):
        return unreadable(item, number)
    offer = cast("dict[str, Any]", item)
    diamond = offer.get("diamond")
    stone_id = cast("dict[str, Any]", diamond).get("id") if isinstance(diamond, dict) else None
    return Stone(
        supplier_stone_id=stone_id if isinstance(stone_id, str) else "",
        offer_id=offer_id if isinstance(offer_id := offer.get("id"), str) else "",
        source_updated_at=None,
        payload=offer,
    )
