"""The settings of the workload followups, with their units and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.followups.provider_settings import ProviderSettings
from shared.platform.access.tokens import SigningKeys
from shared.platform.settings import read_settings


class FollowupSettings(ProviderSettings):
    """For signing agents in, and for writing to their clients."""

    followups_jwt_secret: SigningKeys = Field(
        default=(),
        description='key that signs the agents\' tokens, or JSON ["new", "old"] while one is replaced;'
        " unset: no agent can sign in",
    )
    followups_token_hours: int = Field(default=12, ge=1, le=720, description="hours an agent's token is good for")
    followups_open_registration: bool = Field(
        default=False, description="true: anybody may register as an agent; false: only who has the admin key makes one"
    )
    followups_sender: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?$",
        description="address that follow-ups come from; their Reply-To is the agent's own; unset: none is written",
    )
    followups_reply_to: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?$",
        description="Reply-To whose mail the app gets, by SES, Resend or a mail server; unset: the agent's own",
    )
    followups_public_url: str = Field(
        default="",
        max_length=300,
        pattern=r"^(https?://[A-Za-z0-9.:-]+)?$",
        description="address of this app as mailboxes reach it, for the unsubscribe link; unset: no follow-up is sent",
    )
    followups_mails_per_minute: float = Field(
        default=30,
        ge=0,
        le=100_000,
        description="mails a minute that the sender may hand over, all instances together; 0: any",
    )
    followups_minimum_gap_hours: float = Field(
        default=24, ge=0, le=720, description="least hours between two follow-ups to one client"
    )
    followups_latest_hours: float = Field(
        default=72, gt=0, le=2160, description="hours after which a follow-up that is late is not sent any more"
    )
    followups_overdue: Literal["shift", "skip"] = Field(
        default="shift",
        description="what becomes of follow-ups that are late together: moved behind each other, or skipped",
    )
    followups_warm_up: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="most mails of an agent's first day, doubled every day for a month; 0: its cap",
    )


def settings() -> FollowupSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(FollowupSettings)
