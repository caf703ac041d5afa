"""A provider's event of a mail, whichever provider it is."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, StringConstraints

from shared.platform.models import LazyModel
from shared.platform.moments import Moment

LONGEST_EVENT_ID, LONGEST_TEXT = 200, 500
EventKind = Literal["sent", "deferred", "delivered", "bounced", "complained", "opened", "clicked"]


def _storable(value: object) -> object:
    """Text as it can be stored: an event is recorded for what it says, and not refused for a sign in a header."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST_TEXT]


Short = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), BeforeValidator(_storable)]


class ProviderEvent(LazyModel):
    """What a provider tells of one mail.

    It names the mail by its number or by its key; by neither if it is none of ours. `provider_id` is the provider's own
    id of it. `permanent` says of a bounce that the mailbox will never take mail; `listed`, that the provider did not
    try, since the address is on its own list.
    """

    model_config = ConfigDict(frozen=True)
    provider: str
    event_id: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_EVENT_ID)]
    email_id: int | None = None
    provider_id: Short | None = None
    key: UUID | None = None
    kind: EventKind
    permanent: bool = False
    listed: bool = False
    happened_at: Moment
    user_agent: Short = ""
    ip: Short = ""
    detail: Short = ""
