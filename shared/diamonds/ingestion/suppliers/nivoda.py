"""The Nivoda feed: GraphQL, a token of six hours, pages of at most 50 diamonds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from weakref import WeakKeyDictionary

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.models import Stone
from shared.diamonds.ingestion.paging import OffsetPages
from shared.diamonds.ingestion.payloads import unreadable
from shared.diamonds.ingestion.suppliers.client import RETRY_SECONDS, THROTTLED, Client, counted, open_session
from shared.diamonds.ingestion.suppliers.nivoda_queries import AUTHENTICATE, COUNT, STABLE_ORDER, page
from shared.diamonds.ingestion.suppliers.nivoda_trading import NivodaTrading
from shared.diamonds.runs.models import PriceRange, Window
from shared.diamonds.settings import settings
from shared.platform.errors import TerminalError, TransientError
from shared.platform.rate_limit import RateLimit, rate_limit
from shared.platform.retry import Time

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from aiohttp import ClientSession

    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.ingestion.models import Mark
    from shared.diamonds.ingestion.paging import Pages
    from shared.diamonds.ingestion.suppliers.trading import Trading
    from shared.diamonds.models import FeedName

T = TypeVar("T")

TOKEN_SECONDS = 5.5 * 3600
"""A token lives for six hours at Nivoda; it is renewed before."""
CHECK_SECONDS = 5.0

UNAUTHENTICATED = "UNAUTHENTICATED"
TOO_OFTEN = {"RATE_LIMITED", "TOO_MANY_REQUESTS", "THROTTLED"}
# Of the codes that Apollo servers give, those that the same request will always meet. Any other may pass.
HOPELESS = {
    "BAD_REQUEST",
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where Nivoda is, who we are there, and what we may do."""

    endpoint: str
    username: str
    password: str = field(repr=False)
    trades: bool = False
    destination: str = ""
    price_unit: PriceUnit = "cents"


@dataclass(slots=True)
class _Session:
    """The token that all activities of this process share."""

    token: str = ""
    renew_at: float = 0.0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)


# A lock belongs to the event loop that waits for it; the worker has one, a test session has several.
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Account, _Session]] = WeakKeyDictionary()


class _TokenRefused(Exception):
    """Nivoda does not take this token any more."""


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
        self._time = timing or Time()
        self._client = Client(
            self.name, limit, timeout_seconds, secret=account.password, timing=self._time, session=session
        )
        self._session = _sessions.setdefault(asyncio.get_running_loop(), {}).setdefault(account, _Session())

    @classmethod
    def from_settings(cls) -> Self:
        """Nivoda as the NIVODA_ settings say.

        Raises:
            TerminalError: the address or the credentials are missing.
        """
        chosen = settings()
        account = Account(
            chosen.nivoda_endpoint,
            chosen.nivoda_username,
            chosen.nivoda_password.get_secret_value(),
            chosen.nivoda_trading,
            chosen.nivoda_destination_id,
            chosen.nivoda_price_unit,
        )
        given = {
            "NIVODA_ENDPOINT": account.endpoint,
            "NIVODA_USERNAME": account.username,
            "NIVODA_PASSWORD": account.password,
        }
        if missing := [name for name, value in given.items() if not value]:
            raise TerminalError("The feed nivoda is not set up.", code="settings", remedy=f"Set {', '.join(missing)}.")
        limit = rate_limit(f"nivoda/{account.username}", chosen.nivoda_requests_per_second)
        return cls(
            account,
            limit,
            timeout_seconds=chosen.nivoda_timeout_seconds,
            page_size=chosen.nivoda_page_size,
            mapping=NIVODA.at(chosen.nivoda_fields),
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

        async def attempt(patience: float) -> list[Stone]:
            data = await self.ask(self._page_query, variables, patience)
            items = cast("list[Any]", _pick(data, "diamonds_by_query.items", list))
            return [_stone(item, number) for number, item in enumerate(items)]

        return await self._client.persist(attempt)

    def read(self, prices: PriceRange | None, window: Window, start: Mark, page_size: int | None = None) -> Pages:
        """The diamonds of a price range from a mark on."""
        return OffsetPages(
            lambda offset, limit: self.page(prices, window, offset, limit), start, page_size or self._page_size
        )

    async def check(self) -> None:
        """See that Nivoda answers and knows us, without insisting; raises what any other call would."""
        now = datetime.now(UTC)
        await self._count(PriceRange(minimum=0, maximum=1), Window(since=now, until=now), CHECK_SECONDS)

    @property
    def trading(self) -> Trading | None:
        """Holds and orders, if the account may have them."""
        account = self._account
        return NivodaTrading(self.ask, account.price_unit, account.destination) if account.trades else None

    async def _count(self, prices: PriceRange | None, window: Window, seconds: float) -> int:
        async def attempt(patience: float) -> int:
            data = await self.ask(COUNT, {"query": _query(prices, window)}, patience)
            return counted(self.name, _pick(data, "diamonds_by_query_count", int))

        return await self._client.persist(attempt, seconds)

    async def ask(self, query: str, variables: dict[str, Any], patience: float) -> dict[str, Any]:
        """The `data` of one query, with a token that is renewed once when it is refused."""
        token = await self._token(patience)
        try:
            return await self._post(query, variables, patience, token)
        except _TokenRefused:
            token = await self._token(patience, refused=token)
        try:
            return await self._post(query, variables, patience, token)
        except _TokenRefused:
            raise TransientError("Nivoda refused a token that it had just given.", code="token-refused") from None

    async def _token(self, patience: float, *, refused: str = "") -> str:
        session = self._session
        async with session.renewing:
            if session.token == refused or self._time.now() >= session.renew_at:
                session.token = await self._authenticate(patience)
                session.renew_at = self._time.now() + TOKEN_SECONDS
            self._client.hide(session.token)
            return session.token

    async def _authenticate(self, patience: float) -> str:
        who = {"username": self._account.username, "password": self._account.password}
        try:
            data = await self._post(AUTHENTICATE, who, patience)
        except _TokenRefused:
            raise TerminalError(
                "Nivoda does not accept our user name and password.",
                code="supplier-credentials",
                remedy="Correct NIVODA_USERNAME and NIVODA_PASSWORD.",
            ) from None
        return _pick(data, "authenticate.username_and_password.token", str)

    async def _post(
        self, query: str, variables: dict[str, Any], patience: float, token: str | None = None
    ) -> dict[str, Any]:
        answer = await self._client.post(
            self._account.endpoint,
            patience,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            json={"query": query, "variables": variables},
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise _TokenRefused
        try:
            body: object = answer.json()
        except ValueError:
            raise _malformed("no JSON") from None
        if not isinstance(body, dict):
            raise _malformed("no JSON object")
        content = cast("dict[str, Any]", body)
        if errors := content.get("errors"):
            raise self._failure(errors)
        return cast("dict[str, Any]", _pick(content, "data", dict))

    def _failure(self, errors: object) -> Exception:
        """What `errors[]` comes to: the worst that is in it decides."""
        listed = cast("list[Any]", errors) if isinstance(errors, list) else []
        found = [cast("dict[str, Any]", error) for error in listed if isinstance(error, dict)]
        codes = {_code(error) for error in found}
        if UNAUTHENTICATED in codes:
            return _TokenRefused()
        messages = self._client.quote("; ".join(str(error.get("message", "")) for error in found))
        if codes & TOO_OFTEN:
            return TransientError(f"Nivoda was asked too often: {messages}.", code=THROTTLED)
        if codes & HOPELESS:
            return TerminalError(
                f"Nivoda refused a query ({', '.join(sorted(codes))}): {messages}.",
                code="supplier-refused",
                remedy="The query does not fit Nivoda's schema, or the account may not ask it. Compare with its API.",
            )
        return TransientError(f"Nivoda reported an error: {messages or 'without a message'}.", code="supplier-error")


def _code(error: dict[str, Any]) -> str:
    extensions: Any = error.get("extensions")
    return str(cast("dict[str, Any]", extensions).get("code", "")) if isinstance(extensions, dict) else ""


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
    given = cast("dict[str, Any]", item)
    diamond = given.get("diamond")
    stone_id = cast("dict[str, Any]", diamond).get("id") if isinstance(diamond, dict) else None
    return Stone(
        supplier_stone_id=stone_id if isinstance(stone_id, str) else "",
        offer_id=offer_id if isinstance(offer_id := given.get("id"), str) else "",
        source_updated_at=None,
        payload=given,
    )


def _pick(source: Any, path: str, kind: type[T]) -> T:
    """The value at a dotted path, which must be of a kind; names the path if it is not."""
    value = source
    for key in path.split("."):
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    if not isinstance(value, kind):
        raise _malformed(f"no {path} of type {kind.__name__}")
    return value


def _malformed(what: str) -> TransientError:
    return TransientError(f"Nivoda's answer has {what}.", code="supplier-malformed")
