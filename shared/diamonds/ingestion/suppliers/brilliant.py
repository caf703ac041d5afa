"""The Brilliant feed: plain JSON over REST, an API key, page tokens, prices in dollars as text."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast

from shared.diamonds.ingestion.models import Stone
from shared.diamonds.ingestion.paging import TokenPages
from shared.diamonds.ingestion.payloads import unreadable
from shared.diamonds.ingestion.suppliers.client import (
    CHECK_SECONDS,
    CREDENTIALS,
    RETRY_SECONDS,
    Client,
    counted,
    open_session,
)
from shared.diamonds.ingestion.suppliers.decoding import malformed, moment
from shared.diamonds.runs.models import PriceRange, Window
from shared.diamonds.settings import settings
from shared.platform.calls.rate_limit import RateLimit, rate_limit
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from aiohttp import ClientSession

    from shared.diamonds.ingestion.models import Mark
    from shared.diamonds.ingestion.paging import Pages
    from shared.diamonds.models import FeedName

PAGE_SIZE = 200
LONGEST_TOKEN = 4_096


class Brilliant:
    """The port `Supplier` for Brilliant. Its stones say when they last changed."""

    name: FeedName = "brilliant"
    trading = None
    """Brilliant takes neither holds nor orders."""

    def __init__(
        self,
        endpoint: str,
        api_key: str,
        limit: RateLimit,
        *,
        timeout_seconds: float = 30,
        session: Callable[[], ClientSession] = open_session,
        timing: Time | None = None,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"X-Api-Key": api_key}
        self._client = Client(self.name, limit, timeout_seconds, secret=api_key, timing=timing, session=session)

    @classmethod
    def from_settings(cls) -> Self:
        """Brilliant as the BRILLIANT_ settings say.

        Raises:
            TerminalError: the address or the key is missing.
        """
        config = settings()
        endpoint, api_key = config.brilliant_endpoint, config.brilliant_api_key.get_secret_value()
        required = {"BRILLIANT_ENDPOINT": endpoint, "BRILLIANT_API_KEY": api_key}
        if missing := [name for name, value in required.items() if not value]:
            raise TerminalError(
                "The feed brilliant is not set up.", code="settings", remedy=f"Set {', '.join(missing)}."
            )
        limit = rate_limit(f"brilliant/{endpoint}", config.brilliant_requests_per_second)
        return cls(endpoint, api_key, limit, timeout_seconds=config.brilliant_timeout_seconds)

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

    def read(self, prices: PriceRange | None, window: Window, start: Mark) -> Pages:
        """The diamonds of a price range from a mark on."""

        async def page(token: str | None) -> tuple[list[Stone], str | None]:
            paging = {"page_size": str(PAGE_SIZE)} | ({"page_token": token} if token else {})
            body = await self._ask("stones", _query(prices, window) | paging, RETRY_SECONDS)
            stones, following = body.get("stones"), body.get("next_page_token")
            if not isinstance(stones, list):
                raise malformed("Brilliant", "no list `stones`")
            if not isinstance(following, str | None):
                raise malformed("Brilliant", "a `next_page_token` that is no text")
            if following and (len(following) > LONGEST_TOKEN or "\0" in following):
                raise malformed(
                    "Brilliant", f"a `next_page_token` of more than {LONGEST_TOKEN:,} characters, or with NUL in it"
                )
            return [_stone(item, at) for at, item in enumerate(cast("list[Any]", stones))], following

        return TokenPages(page, start)

    async def check(self) -> None:
        """See that Brilliant answers and knows us, without insisting; raises what any other call would."""
        now = datetime.now(UTC)
        await self._count(PriceRange(minimum=0, maximum=1), Window(since=now, until=now), CHECK_SECONDS)

    async def _count(self, prices: PriceRange | None, window: Window, seconds: float) -> int:
        count = (await self._ask("stones/count", _query(prices, window), seconds)).get("count")
        if not isinstance(count, int):
            raise malformed("Brilliant", "no number `count`")
        return counted(self.name, count)

    async def _ask(self, path: str, query: dict[str, str], seconds: float) -> dict[str, Any]:
        async def attempt(max_wait_seconds: float) -> dict[str, Any]:
            answer = await self._client.get(
                f"{self._endpoint}/{path}", max_wait_seconds, headers=self._headers, params=query
            )
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise TerminalError(
                    "Brilliant does not accept our key.",
                    code=CREDENTIALS,
                    remedy="Correct BRILLIANT_API_KEY.",
                )
            try:
                body: object = answer.json()
            except ValueError:
                raise malformed("Brilliant", "no JSON") from None
            if not isinstance(body, dict):
                raise malformed("Brilliant", "no JSON object")
            return cast("dict[str, Any]", body)

        return await self._client.persist(attempt, seconds)


def _query(prices: PriceRange | None, window: Window) -> dict[str, str]:
    query = {
        "modified_from": window.since.astimezone(UTC).isoformat(),
        "modified_to": window.until.astimezone(UTC).isoformat(),
    }
    if prices:
        # A stone of 99.50 dollars is below 100: both ends of the range are included there.
        query |= {"min_usd": str(prices.minimum), "max_usd": f"{prices.maximum - 0.01:.2f}"}
    return query


def _stone(item: Any, number: int) -> Stone:
    """The diamond in an item. One that is no object or has no id is kept: it fails when it is mapped."""
    if not isinstance(item, dict):
        return unreadable(item, number)
    stone = cast("dict[str, Any]", item)
    sku, offer = stone.get("sku"), stone.get("offer_ref")
    return Stone(
        supplier_stone_id=sku if isinstance(sku, str) else "",
        offer_id=offer if isinstance(offer, str) else "",
        source_updated_at=moment(stone.get("modified")),
        payload=stone,
    )
