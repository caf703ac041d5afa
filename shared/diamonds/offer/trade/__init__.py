"""Hold and buy diamonds. Each step is one transaction that has the diamond's row to itself.

A hold ends by the clock, or when its holder gives it up: nothing has to run for it. A purchase is a hold that never
ends, so that what the supplier says later does not undo it.
"""

from shared.diamonds.offer.trade.holds import Availability, Hold, HoldRequest, availability, hold, release
from shared.diamonds.offer.trade.purchases import Purchase, PurchaseRequest, purchase

__all__ = [
    "Availability",
    "Hold",
    "HoldRequest",
    "Purchase",
    "PurchaseRequest",
    "availability",
    "hold",
    "purchase",
    "release",
]
