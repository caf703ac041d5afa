"""Holds and orders at Nivoda, whose accounts may have them or not (its "API Pro")."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.suppliers.client import CREDENTIALS, THROTTLED, TOKEN_REFUSED, UNREACHABLE
from shared.diamonds.ingestion.suppliers.decoding import TOO_LARGE, malformed, moment
from shared.diamonds.ingestion.suppliers.nivoda_queries import CREATE_HOLD, CREATE_ORDER, END_HOLD, OFFER
from shared.diamonds.ingestion.suppliers.trading import REFUSED, TRADE_SECONDS, OfferNow, OutcomeUnknown, SupplierHold
from shared.diamonds.ingestion.vocabulary import availability
from shared.platform.calls.rate_limit import ACCOUNT_PAUSED
from shared.platform.errors import ManifoldError, TerminalError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.diamonds.ingestion.mapping import Path, PriceUnit

    Ask = Callable[[str, dict[str, Any], float], Awaitable[dict[str, Any]]]

NOT_DONE: Final = frozenset({ACCOUNT_PAUSED, CREDENTIALS, REFUSED, THROTTLED, TOKEN_REFUSED, UNREACHABLE})
"""Codes of errors that come before Nivoda does anything. After any other, it may have done it."""

LEAST_DOLLARS: Final = Decimal("0.01")
MOST_DOLLARS: Final = 100_000_000
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}\.[0-9]{3}")
"""A text like 1.234 may be thousands or thousandths."""


class NivodaTrading:
    """The port `Trading` for Nivoda. Prices of answers are in the unit that the payloads have."""

    def __init__(self, ask: Ask, price_unit: PriceUnit, destination: str) -> None:
        self._ask = ask
        self._unit = 100 if price_unit == "cents" else 1
        self._destination = destination

    async def look(self, stone_id: str) -> OfferNow | None:
        """How the stone is now; None if Nivoda does not list it. Raises as the port says."""
        try:
            data = await self._ask(OFFER, {"query": {"ids": [stone_id]}}, TRADE_SECONDS)
        except TerminalError as error:
            if error.code != TOO_LARGE:
                raise
            raise malformed("Nivoda", "more than one stone can have") from error
        items = _follow(data, ("diamonds_by_query", "items"))
        if not isinstance(items, list):
            raise malformed("Nivoda", "no list of items")
        for item in cast("list[Any]", items):
            if _follow(item, ("diamond", "id")) == stone_id:
                return self._offer(item)
        return None

    async def hold(self, stone_id: str) -> SupplierHold | None:
        """Have the stone kept for us; None if Nivoda denies it. Raises as the port says."""
        hold = _follow(await self._do(CREATE_HOLD, {"stone": stone_id}), ("create_hold",))
        if _follow(hold, ("denied",)) is True:
            return None
        hold_id = _follow(hold, ("id",))
        if not isinstance(hold_id, str) or not hold_id:
            raise _outcome_unknown(malformed("Nivoda", "no id of a hold"))
        return SupplierHold(hold_id, moment(_follow(hold, ("until",))))

    async def end_hold(self, hold_id: str) -> None:
        """Give a hold up. Raises as the port says."""
        await self._do(END_HOLD, {"hold": hold_id})

    async def order(self, offer_id: str, *, number: str, comment: str) -> str:
        """Buy the stone for us, to the destination of the settings; Nivoda's id of the order. Raises as the port."""
        item = {"offerId": offer_id, "customer_order_number": number, "return_option": False}
        optional = {"customer_comment": comment, "destinationId": self._destination}
        item |= {name: value for name, value in optional.items() if value}
        order_id = _follow(await self._do(CREATE_ORDER, {"items": [item]}), ("create_order",))
        if not isinstance(order_id, str) or not order_id:
            raise _outcome_unknown(malformed("Nivoda", "no id of an order"))
        return order_id

    async def _do(self, mutation: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._ask(mutation, variables, TRADE_SECONDS)
        except ManifoldError as error:
            if error.code in NOT_DONE:
                raise
            raise _outcome_unknown(error) from error

    def _offer(self, item: Any) -> OfferNow:
        price, stock, hold_id = (_follow(item, path) for path in (NIVODA.price, NIVODA.availability, NIVODA.hold_id))
        return OfferNow(
            availability=availability(stock if isinstance(stock, str) else "", NIVODA.vocabulary),
            price=self._price(price),
            hold_id=hold_id if isinstance(hold_id, str) and hold_id else None,
        )

    def _price(self, sent: object) -> Decimal | None:
        """US dollars; None for what is no price of a diamond, as in the feed."""
        text = str(sent).strip() if isinstance(sent, int | float | str) and not isinstance(sent, bool) else ""
        if not _DECIMAL.fullmatch(text) or (isinstance(sent, str) and _THOUSANDS.fullmatch(text)):
            return None
        price = Decimal(text) / self._unit
        return round(price, 2) if LEAST_DOLLARS <= price < MOST_DOLLARS else None


def _follow(source: Any, path: Path) -> Any:
    value = source
    for key in path or ():
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value


def _outcome_unknown(error: ManifoldError) -> OutcomeUnknown:
    return OutcomeUnknown(f"Nivoda may have done it or not: {error.message}")
