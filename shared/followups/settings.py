"""The settings of the workload followups, with their units and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from shared.platform.settings import Settings, read_settings

_TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}"


class FollowupSettings(Settings):
    """For signing agents in, and for writing to their clients."""

    followups_jwt_secret: SecretStr | None = Field(
        None, min_length=32, description="key that signs the agents' tokens; unset: no agent can sign in"
    )
    followups_token_hours: int = Field(12, ge=1, le=720, description="hours an agent's token is good for")
    followups_open_registration: bool = Field(
        default=False, description="true: anybody may register as an agent; false: only who has the admin key makes one"
    )
    followups_provider: Literal["smtp", "resend", "ses"] = Field(
        "smtp",
        description="who delivers follow-ups: the relay at SMTP_HOST, Resend with RESEND_API_KEY, SES at SES_REGION",
    )
    ses_region: str = Field("", pattern=r"^([a-z0-9-]{5,30})?$", description="region of Amazon SES")
    ses_access_key_id: str = Field("", description="id of the access key that may send through SES")
    ses_secret_access_key: SecretStr = Field(SecretStr(""), description="secret of that access key")
    ses_configuration_set: str = Field(
        "", max_length=64, description="configuration set of SES that publishes what became of the mails; unset: none"
    )
    followups_sender: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?$",
        description="address that follow-ups come from; their Reply-To is the agent's own; unset: none is written",
    )
    followups_reply_to: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?$",
        description="address whose mail SES receives for the app, as Reply-To; unset: replies go to the agent's own",
    )
    followups_sns_topics: str = Field(
        "",
        pattern=rf"^({_TOPIC}(,{_TOPIC})*)?$",
        description="topics of SNS whose events of SES are taken, by commas; unset: none",
    )
    followups_public_url: str = Field(
        "",
        pattern=r"^(https?://[A-Za-z0-9.:-]+)?$",
        description="address of this app as mailboxes reach it, for the unsubscribe link; unset: no follow-up is sent",
    )
    followups_mails_per_minute: float = Field(
        30, ge=0, le=100_000, description="mails a minute that the sender may hand over, all instances together; 0: any"
    )
    followups_minimum_gap_hours: float = Field(
        24, ge=0, le=720, description="least hours between two follow-ups to one client"
    )
    followups_latest_hours: float = Field(
        72, gt=0, le=2160, description="hours after which a follow-up that is late is not sent any more"
    )
    followups_overdue: Literal["shift", "skip"] = Field(
        "shift", description="what becomes of follow-ups that are late together: moved behind each other, or skipped"
    )
    followups_warm_up: int = Field(
        0, ge=0, le=100_000, description="most mails of an agent's first day, doubled every day for a month; 0: its cap"
    )

    @field_validator("followups_jwt_secret", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        # A vault holds no empty secret, so that one which nobody has chosen says so.
        return None if value == "unset" else value


def settings() -> FollowupSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(FollowupSettings)
