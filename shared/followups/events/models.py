"""An event as the inbox takes it, whoever sent it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

EventKind = Literal["sent", "deferred", "delivered", "bounced", "complained", "opened", "clicked"]
Short = Annotated[str, StringConstraints(max_length=500)]


class ProviderEvent(BaseModel):
    """What a provider tells of one mail.

    `email_id` is None if it names none of ours; `permanent` says of a bounce that the mailbox will never take mail.
    """

    model_config = ConfigDict(frozen=True)
    provider: str
    event_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    email_id: int | None
    kind: EventKind
    permanent: bool = False
    happened_at: AwareDatetime
    user_agent: Short = ""
    ip: Short = ""
    detail: Short = ""
