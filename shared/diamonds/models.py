"""What the models of every room are built on; each room has its own `models.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel

ERROR_LENGTH = 500
"""Characters of an error that are kept."""


FeedName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="name of the supplier's feed")]

AvailabilityState = Literal["available", "on_hold", "sold", "unavailable"]
"""Whether a diamond can be had, as the app says it."""


class Model(LazyModel):
    """Immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
