"""The port of the senders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.followups.sending.message import Mail
    from shared.followups.steps import Outcome


TAG = "followup"
"""The tag of a mail at providers that have tags: its number, which comes back in every event."""


UNREACHABLE = ("unreachable", "relay-unreachable", "relay-failed", "no-token")
"""Codes of a hand-over that failed before the provider had the mail, whichever mail it was."""


class EmailSender(Protocol):
    """Hands one mail over, in one attempt.

    Attributes:
        name: of the provider, as it is stored with each mail.
    """

    name: str

    async def send(self, mail: Mail) -> Outcome:
        """What came of it; never raises. It answers within two minutes, and sends nothing a second time by itself."""
        ...

    async def find_out(self, mail: Mail) -> Outcome | None:
        """What became of a mail whose hand-over ended in `unknown`; hands nothing over, and never raises.

        None if the provider has no look-up or does not know the mail; `unknown` if it did not answer.
        """
        ...

    def may_repeat(self, mail: Mail) -> bool:
        """Whether the provider takes a mail under its key only once, so that `send` may be called again now."""
        ...
