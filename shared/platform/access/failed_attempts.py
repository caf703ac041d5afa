"""Slows down who guesses keys: an address may present only so many wrong ones, then waits before each further try.

Counted in this process: with several instances an address has as many more, which guessing does not profit from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from shared.platform.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    import azure.functions as func

BURST: Final = 20
"""Wrong keys that an address may present at once."""
GAP_SECONDS: Final = 3.0
"""After which it may present one more."""
MOST_ADDRESSES: Final = 10_000
"""Addresses that are remembered; those that failed longest ago are forgotten first."""


class FailedAttempts:
    """When each address will have its whole burst again (the generic cell rate algorithm)."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    @contextmanager
    def watched(self, request: func.HttpRequest) -> Generator[None]:
        """Check what the caller presents within the block, which raises Unauthenticated if it is wrong.

        It counts as wrong until the block has ended otherwise: those who guess many at once would all pass else.

        Raises:
            RateLimited: the address has presented too many wrong keys; this one is not looked at.
        """
        address = address_of(request)
        wait = self._full_at.get(address, 0) - self._clock() - (BURST - 1) * GAP_SECONDS
        if wait > 0:
            raise RateLimited(
                "Too many wrong keys came from this address.",
                retry_after=wait,
                remedy="Check the key, and try again after the seconds that Retry-After says.",
            )
        self._count(address)
        try:
            yield
        except Unauthenticated:
            raise
        except BaseException:
            self._give_back(address)
            raise
        self._give_back(address)

    def _count(self, address: str) -> None:
        self._full_at[address] = max(self._full_at.get(address, 0), self._clock()) + GAP_SECONDS
        self._full_at.move_to_end(address)
        if len(self._full_at) > MOST_ADDRESSES:
            self._full_at.popitem(last=False)

    def _give_back(self, address: str) -> None:
        full_at = self._full_at.get(address, 0) - GAP_SECONDS
        if full_at > self._clock():
            self._full_at[address] = full_at
        else:
            self._full_at.pop(address, None)

    def forget(self) -> None:
        """Forget every address. For tests."""
        self._full_at.clear()


def address_of(request: func.HttpRequest) -> str:
    """The caller's address without its port. Azure's front end appends it to what the caller itself may have sent."""
    last = cast("str", request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip()
    if last.startswith("["):
        return last[1:].partition("]")[0]
    return last if last.count(":") > 1 else last.partition(":")[0]


failed_attempts: Final = FailedAttempts()
