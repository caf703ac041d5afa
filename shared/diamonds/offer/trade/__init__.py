"""Hold and buy diamonds. Each step is one transaction that has the diamond's row to itself.

A hold ends by the clock, or when its holder gives it up: nothing has to run for it. A purchase is a hold that never
ends, so that what the supplier says later does not undo it. Where a feed takes holds and orders, its supplier is asked
between two such transactions, never within one.
"""

from __future__ import annotations

from shared.diamonds.offer.trade.at_supplier import Trade, TradeKind, anything_open, listed
from shared.diamonds.offer.trade.availability import Availability, availability
from shared.diamonds.offer.trade.holds import Hold, HoldRequest, hold, release
from shared.diamonds.offer.trade.orders import resolve
from shared.diamonds.offer.trade.purchases import Purchase, PurchaseRequest, purchase

__all__ = [
    "Availability",
    "Hold",
    "HoldRequest",
    "Purchase",
    "PurchaseRequest",
    "Trade",
    "TradeKind",
    "anything_open",
    "availability",
    "hold",
    "listed",
    "purchase",
    "release",
    "resolve",
]
