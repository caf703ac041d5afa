"""An event as the inbox takes it, whoever sent it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, StringConstraints

from shared.platform.models import LazyModel
from shared.platform.moments import Moment

EventKind = Literal["sent", "deferred", "delivered", "bounced", "complained", "opened", "clicked"]


def _storable(value: object) -> object:
    """Text without what no store holds: an event is taken for what it says, and not refused for a sign in a header."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:500] if isinstance(value, str) else value


Short = Annotated[str, StringConstraints(max_length=500), BeforeValidator(_storable)]


class ProviderEvent(LazyModel):
    """What a provider tells of one mail.

    It names the mail by its number or by its key; by neither if it is none of ours. `provider_id` is the provider's own
    id of it. `permanent` says of a bounce that the mailbox will never take mail; `listed`, that the provider did not
    try, since the address is on its own list.
    """

    model_config = ConfigDict(frozen=True)
    provider: str
    event_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
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
