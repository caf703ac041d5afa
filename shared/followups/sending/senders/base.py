"""The port of the senders, and what they have in common."""

from __future__ import annotations

from email.errors import MessageError
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from shared.followups.steps import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.followups.sending.message import Mail

T = TypeVar("T")

TAG = "followup"
"""The tag of a mail at providers that have tags: its number, which comes back in every event."""

ACCOUNT_REFUSED = "account-refused"
UNREACHABLE = ("unreachable", "relay-unreachable", "relay-failed", "no-token", ACCOUNT_REFUSED)
"""Codes of a hand-over that failed before the provider had the mail, whichever mail it was."""


OF_THE_MAIL = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
"""Statuses of HTTP APIs that are about the mail, unless their text says that they are about us."""


class EmailSender(Protocol):
    """Hands one mail over, in one attempt.

    Attributes:
        name: of the provider, as it is stored with each mail.
    """

    name: str

    async def send(self, mail: Mail) -> Outcome:
        """What came of it; never raises. It answers within two minutes, and sends nothing a second time by itself.

        Nor does it begin to send a mail that is too late: its worker may have stood still while others took it over.
        """
        ...

    async def find_out(self, mail: Mail) -> Outcome | None:
        """What became of a mail whose hand-over ended in `unknown`; hands nothing over, and never raises.

        None if the provider has no look-up or does not know the mail; `unknown` if it did not answer.
        """
        ...

    def may_repeat(self, mail: Mail) -> bool:
        """Whether the provider takes a mail under its key only once, so that `send` may be called again now."""
        ...


def ready(provider: str, mail: Mail, make: Callable[[Mail], T]) -> T | Outcome:
    """What `make` makes of the mail for the provider, or why nothing is handed over: there is none, or no time left."""
    try:
        content = make(mail)
    except (ValueError, LookupError, MessageError, AssertionError) as error:
        return outcome(provider, "refused", "unusable-message", f"{type(error).__name__}: {error}")
    return too_late(provider) if mail.too_late else content


def outcome(provider: str, kind: Literal["refused", "postponed", "unknown"], code: str, text: str) -> Outcome:
    """What came of an attempt at a provider that was not accepted."""
    any_mail = kind == "postponed" and code in UNREACHABLE
    return Outcome(kind=kind, provider=provider, code=code[:100], text=text[:500], any_mail=any_mail)


def account_refused(provider: str, reply: str) -> Outcome:
    """The provider refuses the account, not this mail: it waits until somebody has mended that."""
    return outcome(provider, "postponed", ACCOUNT_REFUSED, reply)


def throttled(provider: str, code: str, reply: str) -> Outcome:
    """The provider wants fewer mails for now, whichever."""
    return outcome(provider, "postponed", code, reply).model_copy(update={"any_mail": True})


def too_late(provider: str) -> Outcome:
    """Nothing was handed over: the lease was over before the content was on its way."""
    return throttled(provider, "too-late-to-begin", "The worker stood still for minutes.")
