"""What the layers say to each other about vectors."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel


class ModelVersion(LazyModel):
    """A version of a model, and how far its vectors are."""

    model_config = ConfigDict(frozen=True)
    model_id: int
    name: str
    version: str
    dimensions: int
    state: Literal["building", "current", "previous", "rejected"]
    overlap: float | None = Field(
        default=None,
        description="share of nearest neighbours that it has in common with the version before, on a sample",
    )
    current_since: datetime | None = None
    waiting: int = Field(default=0, description="papers without a vector of it")
    failed: int = Field(default=0, description="papers that it could not embed")
    indexed: bool = Field(default=False, description="whether an index of nearest neighbours is there")
    index: str = Field(default="", description="of the index: its size, how far its build is, or why there is none")
    texts: int = Field(default=0, description="embedded in all")
    tokens: int = Field(default=0, description="read for them")
    cut: int = Field(default=0, description="texts that were longer than the model reads")
    dollars: float = Field(default=0, description="what they cost")
    dollars_per_million: float = Field(default=0, description="what a million of its tokens cost")
    batch_model: str = Field(
        default="", description="model, or in Azure the deployment, of its batches; empty: the same"
    )
    batches: bool = Field(default=False, description="whether papers are given to the model in batches, or are to be")


class EmbedShare(LazyModel):
    """A worker's share: papers without a vector of a version, as many as it gets through in a time box."""

    model_config = ConfigDict(frozen=True)
    model_id: int
    embedder: str


class BoxEmbedded(LazyModel):
    """What one time box came to."""

    model_config = ConfigDict(frozen=True)
    embedded: int
    failed: int
    done: bool


class Swap(LazyModel):
    """Whether a version was put in the place of the one that was searched."""

    model_config = ConfigDict(frozen=True)
    swapped: bool


class Prepared(LazyModel):
    """The versions whose vectors are to be completed."""

    model_config = ConfigDict(frozen=True)
    versions: list[ModelVersion]


class Indexed(LazyModel):
    """Whether there is an index of a version, or why there is none."""

    model_config = ConfigDict(frozen=True)
    indexed: bool
    reason: str | None = None


class EnrichSummary(LazyModel):
    """What a run of the embedding came to."""

    model_config = ConfigDict(frozen=True)
    embedded: int = 0
    failed: int = 0
    swapped: bool = False
