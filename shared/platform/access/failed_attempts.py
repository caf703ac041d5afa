"""Slows down who guesses keys or passwords: an address may present only so many wrong ones, then waits before each try.

A password counts for its account as well, but only for tries of the same address: whoever guesses it from elsewhere
keeps its owner from nothing. Counted in this process: with several instances an address has as many more, which
guessing does not profit from.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from shared.platform.access.budgets import Budget
from shared.platform.errors import RateLimited, Unauthenticated, WrongPassword

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


class FailedAttempts:
    """Who has presented what is wrong, and how lately."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._addresses = Budget(BURST, GAP_SECONDS, clock)
        self._accounts = Budget(ACCOUNT_BURST, ACCOUNT_GAP_SECONDS, clock)

    @contextmanager
    def watched(self, request: func.HttpRequest, account: str = "") -> Generator[None]:
        """Check what the caller presents within the block, which raises one of these two if it is wrong.

        Unauthenticated, or WrongPassword of somebody signed in. It counts as wrong until the block has ended otherwise:
        those who guess many at once would all pass else.

        Args:
            request: where it came from.
            account: whose password is presented, whether or not there is such an account.

        Raises:
            RateLimited: the address has presented too many wrong keys; this one is not looked at.
        """
        address = address_of(request)
        of_account = f"{address} {account}"
        wait = self._addresses.wait(address)
        if account:
            wait = max(wait, self._accounts.wait(of_account))
        if wait > 0:
            raise _slowed(wait, account)
        # Many log in at once from behind one address, each with another account and mostly the right password: theirs
        # count for the address when they have turned out wrong, and for the account, as keys do, before.
        budget, key = (self._accounts, of_account) if account else (self._addresses, address)
        budget.count(key)
        try:
            yield
        except (Unauthenticated, WrongPassword):
            if account:
                self._addresses.count(address)
            raise
        except BaseException:
            budget.give_back(key)
            raise
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
