"""What the account has put on hold or ordered at the supplier, and what a stone's availability is by that."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HOLD_SECONDS = 24 * 3600.0
_NAMESPACE = uuid.UUID("9a1d1a55-3c0e-53d7-8a56-5f1f5b0f2c11")


@dataclass
class Hold:
    """One stone kept for the account until then (epoch s), unless it was cancelled."""

    id: str
    stone: int
    until: float
    cancelled: bool = False


@dataclass
class Order:
    """One stone sold to the account, under the account's own number for it."""

    id: str
    stone: int
    number: str
    comment: str
    destination: str


class Refused(Exception):
    """The supplier does not do it; the message says why."""


class Orders:
    """The account's holds and orders, in memory. A stone is ordered at most once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._made = 0
        self.holds: list[Hold] = []
        self.orders: list[Order] = []
        self.stones: set[int] = set()
        """Those that were ever held or ordered; a page of others need not look further."""

    def availability(self, stone: int, listed: str) -> str:
        """The word for a stone that the catalogue lists as `listed`."""
        if any(order.stone == stone for order in self.orders):
            return "SOLD"
        return "ON_HOLD" if self.held(stone) else listed

    def held(self, stone: int) -> Hold | None:
        """The hold of the account on the stone, if one lasts."""
        now = self._clock()
        return next((h for h in self.holds if h.stone == stone and not h.cancelled and h.until > now), None)

    def hold(self, stone: int, listed: str) -> Hold | None:
        """Keep the stone for the account; None if it is not free."""
        if self.availability(stone, listed) != "AVAILABLE":
            return None
        hold = Hold(self._id("hold"), stone, self._clock() + HOLD_SECONDS)
        self.holds.append(hold)
        self.stones.add(stone)
        return hold

    def cancel(self, hold_id: str) -> Hold:
        """Give a hold up; repeated, nothing more happens. Raises Refused if there is none of that id."""
        hold = next((one for one in self.holds if one.id == hold_id), None)
        if hold is None:
            raise Refused("Hold not found")
        hold.cancelled = True
        return hold

    def order(self, stone: int, listed: str, number: str, comment: str, destination: str) -> Order:
        """Sell the stone to the account. Raises Refused if it is sold, or held by somebody else."""
        if self.availability(stone, listed) != "AVAILABLE" and not self.held(stone):
            raise Refused("Diamond is not available")
        order = Order(self._id("order"), stone, number, comment, destination)
        self.orders.append(order)
        self.stones.add(stone)
        return order

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """All of them as JSON."""
        return {"holds": [vars(hold) for hold in self.holds], "orders": [vars(order) for order in self.orders]}

    def _id(self, kind: str) -> str:
        self._made += 1
        return str(uuid.uuid5(_NAMESPACE, f"{kind} {self._made}"))
