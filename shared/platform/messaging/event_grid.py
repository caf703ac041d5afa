"""Events as Event Grid writes them, in its own schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from shared.platform.errors import InvalidInput
from shared.platform.models import LazyModel

MOST = 1000
"""Events of one delivery."""


class GridEvent(LazyModel):
    """What happened to which resource."""

    model_config = ConfigDict(frozen=True)
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    event_type: Annotated[str, StringConstraints(max_length=200)] = Field(alias="eventType")
    event_time: AwareDatetime = Field(alias="eventTime")
    subject: Annotated[str, StringConstraints(max_length=2000)] = Field(default="")
    data: dict[str, Any]


_EVENTS = TypeAdapter(
    Annotated[list[GridEvent], Field(min_length=1, max_length=MOST)], config=ConfigDict(defer_build=True)
)


def read_events(body: bytes) -> list[GridEvent]:
    """The events of a delivery by HTTP.

    Raises:
        InvalidInput: it is no list of events in the schema of Event Grid.
    """
    try:
        return _EVENTS.validate_json(body)
    except ValidationError:
        raise InvalidInput(
            "The body is no list of events.", field="body", remedy="Subscribe with the schema of Event Grid."
        ) from None


def read_event(message: bytes) -> GridEvent:
    """The event of a queue's message: there each one comes alone. Raises as `read_events`."""
    [event] = read_events(b"[" + message + b"]")
    return event
