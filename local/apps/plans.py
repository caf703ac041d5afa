"""How an image is made of a source and started: as the source's own `.manifold/plan.json` says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

PROGRAMS: Final = (".venv/bin", "node_modules/.bin")
"""Folders of the image that may hold programs which come with an app's packages; they are found first."""
PORT: Final = "$PORT"
"""Stands for the port in the words of a start command and in the environment of a plan."""
_Words = tuple[Annotated[str, StringConstraints(max_length=4_000)], ...]


class NotBuildable(Exception):
    """The source does not say how it is built and started."""


class Plan(BaseModel):
    """Commands as lists of arguments, since no shell runs them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    build: tuple[_Words, ...] = ()
    start: Annotated[_Words, Field(min_length=1)]
    environment: dict[str, str] = Field(
        default_factory=dict[str, str], description="What the app finds unless its variables say otherwise; with PORT"
    )


def plan_of(source: Path) -> Plan:
    """The plan in this source.

    Raises:
        NotBuildable: it has none, or one that cannot be read.
    """
    try:
        return Plan.model_validate_json((source / ".manifold" / "plan.json").read_bytes())
    except (OSError, ValidationError):
        raise NotBuildable("The source has no readable .manifold/plan.json, which says what to run.") from None
