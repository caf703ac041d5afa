"""Slows down who guesses keys or passwords: an address may present only so many wrong ones, then waits before each try.

A password counts for its account as well, but only for tries of the same address: whoever guesses it from elsewhere
keeps its owner from nothing. Counted in this process: with several instances an address has as many more, which
guessing does not profit from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from shared.platform.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    import azure.functions as func

BURST: Final = 20
"""Wrong keys that an address may present at once."""
GAP_SECONDS: Final = 3.0
"""After which it may present one more."""
ACCOUNT_BURST: Final = 8
"""Wrong passwords of one account that an address may present at once."""
ACCOUNT_GAP_SECONDS: Final = 20.0
"""After which it may present one more."""
MOST_REMEMBERED: Final = 10_000
"""Addresses, and accounts with addresses, that are remembered; those that failed longest ago are forgotten first."""


@dataclass(slots=True)
class _Budget:
    """When each key will have its whole burst again (the generic cell rate algorithm)."""

    burst: int
    gap: float
    clock: Callable[[], float]
    full_at: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])

    def wait(self, key: str) -> float:
        """Seconds until the key may be used again; 0 or less: now."""
        return self.full_at.get(key, 0) - self.clock() - (self.burst - 1) * self.gap

    def count(self, key: str) -> None:
        self.full_at[key] = max(self.full_at.get(key, 0), self.clock()) + self.gap
        self.full_at.move_to_end(key)
        if len(self.full_at) > MOST_REMEMBERED:
            self.full_at.popitem(last=False)

    def give_back(self, key: str) -> None:
        full_at = self.full_at.get(key, 0) - self.gap
        if full_at > self.clock():
            self.full_at[key] = full_at
        else:
            self.full_at.pop(key, None)


class FailedAttempts:
    """Who has presented what is wrong, and how lately."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._addresses = _Budget(BURST, GAP_SECONDS, clock)
        self._accounts = _Budget(ACCOUNT_BURST, ACCOUNT_GAP_SECONDS, clock)

    @contextmanager
    def watched(self, request: func.HttpRequest, account: str = "") -> Generator[None]:
        """Check what the caller presents within the block, which raises Unauthenticated if it is wrong.

        It counts as wrong until the block has ended otherwise: those who guess many at once would all pass else.

        Args:
            request: where it came from.
            account: whose password is presented, whether or not there is such an account.

        Raises:
            RateLimited: the address has presented too many wrong keys; this one is not looked at.
        """
        address = address_of(request)
        budgets = [(self._addresses, address)]
        if account:
            budgets.append((self._accounts, f"{address} {account}"))
        wait = max(budget.wait(key) for budget, key in budgets)
        if wait > 0:
            raise _slowed(wait, account)
        for budget, key in budgets:
            budget.count(key)
        try:
            yield
        except Unauthenticated:
            raise
        except BaseException:
            _give_back(budgets)
            raise
        _give_back(budgets)

    def forget(self) -> None:
        """Forget every address. For tests."""
        self._addresses.full_at.clear()
        self._accounts.full_at.clear()


def _give_back(budgets: list[tuple[_Budget, str]]) -> None:
    for budget, key in budgets:
        budget.give_back(key)


def _slowed(wait: float, account: str) -> RateLimited:
    if account:
        return RateLimited(
            "Too many wrong passwords came from where you are.",
            retry_after=wait,
            code="too-many-attempts",
            remedy="Try again after the seconds that Retry-After says, or set a new password by mail. From elsewhere"
            " you can sign in at once: the account itself is not locked.",
        )
    return RateLimited(
        "Too many wrong keys came from this address.",
        retry_after=wait,
        remedy="Check the key, and try again after the seconds that Retry-After says.",
    )


def address_of(request: func.HttpRequest) -> str:
    """The caller's address without its port. Azure's front end appends it to what the caller itself may have sent."""
    last = cast("str", request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip()
    if last.startswith("["):
        return last[1:].partition("]")[0]
    return last if last.count(":") > 1 else last.partition(":")[0]


failed_attempts: Final = FailedAttempts()
