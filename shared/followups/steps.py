"""What the steps of a sweep are given and give back, as it stands in histories."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel


class Wire(LazyModel):
    """A value between steps. Its fields stand in histories under way: a new one has a default, and none is renamed."""

    model_config = ConfigDict(frozen=True)


class Claim(Wire):
    """The right to hand one mail over; a higher number of the same mail takes it away."""

    email_id: int
    number: int


class ClaimBatch(Wire):
    """`batch` names who claims: asked again under the same name, it gets the same claims; "": others each time."""

    batch: str = ""


class Claims(Wire):
    """The mails of one batch; none when nothing more is due."""

    claims: list[Claim]


class Composed(Wire):
    """`ready`: the text is stored and may be sent."""

    ready: bool
    reason: str | None = None


class Outcome(Wire):
    """What is known of one attempt to hand a mail over.

    `accepted` and `refused` are the provider's answers; `postponed` means that nothing was handed over and a later try
    may succeed; `unknown` that the mail may have been handed over. `any_mail` says of one that was postponed that any
    other mail would have been, too: the provider is away or busy, or refuses the account.
    """

    kind: Literal["accepted", "refused", "postponed", "unknown"]
    provider: str
    provider_id: str | None = None
    code: str | None = None
    text: str | None = Field(default=None, max_length=500)
    any_mail: bool = False


class Attempt(Wire):
    """`outcome` is None when the mail was not to be sent now, for `reason`."""

    claim: Claim
    outcome: Outcome | None
    reason: str | None
    recorded: bool


class Record(Wire):
    """An outcome that is still to be stored: the step that learned it could not reach the database."""

    claim: Claim
    outcome: Outcome


class SweepSummary(Wire):
    """How many mails a sweep claimed and what became of them."""

    claimed: int = 0
    sent: int = 0
    failed: int = 0
    postponed: int = 0
    unknown: int = 0
    held_back: int = 0

    def plus(self, other: SweepSummary) -> SweepSummary:
        """The counts of both."""
        return SweepSummary(**{name: getattr(self, name) + getattr(other, name) for name in SweepSummary.model_fields})
