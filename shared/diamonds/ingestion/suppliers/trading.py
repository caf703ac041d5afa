"""What a supplier may do besides listing its stones: say how one is now, keep it for us, sell it to us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from shared.diamonds.models import AvailabilityState

REFUSED = "supplier-refused"
"""Code of the error that says that the supplier has refused a request: nothing was done."""
TRADE_SECONDS = 10.0
"""How long a call may wait for its turn; somebody waits for the answer."""


@dataclass(frozen=True, slots=True)
class OfferNow:
    """What the supplier says of a stone at this moment.

    Attributes:
        price: the supplier's, US dollars; None if it names none, or one that no diamond has.
        hold_id: the supplier's name for a hold on it, if it shows one.
    """

    availability: AvailabilityState
    price: Decimal | None
    hold_id: str | None


@dataclass(frozen=True, slots=True)
class SupplierHold:
    """A hold of ours at the supplier; `until` is None where the supplier does not say."""

    hold_id: str
    until: datetime | None


class OutcomeUnknown(TransientError):
    """The supplier was asked to do something, and its answer was lost: it may have been done, and must not be repeated.

    Whatever else a call raises says that nothing was done.
    """

    code = "supplier-outcome-unknown"


class Trading(Protocol):
    """Holds and orders of one supplier. None of these calls is repeated by itself."""

    async def look(self, stone_id: str) -> OfferNow | None:
        """How the stone is now; None if the supplier does not offer it any more.

        Raises:
            TransientError, TerminalError: the supplier did not say.
        """
        ...

    async def hold(self, stone_id: str) -> SupplierHold | None:
        """Have the stone kept for us; None if the supplier refuses.

        Raises:
            OutcomeUnknown: the answer was lost.
            TransientError, TerminalError: nothing was done.
        """
        ...

    async def end_hold(self, hold_id: str) -> None:
        """Give a hold up. Raises as `hold`; may be repeated."""
        ...

    async def order(self, offer_id: str, *, number: str, comment: str) -> str:
        """Buy the stone for us, under our own number; the supplier's name for the order. Raises as `hold`."""
        ...
