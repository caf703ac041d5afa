"""What the layers say to each other about vectors."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

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
    refused: int = Field(
        default=0, description="of the waiting ones, those that it refused and is asked for again later"
    )
    failed: int = Field(default=0, description="papers that it refused as often as they are tried")
    problem: str | None = Field(default=None, description="why papers wait: it does not answer, or refuses us")
    held_because: str | None = Field(
        default=None, description="why it is not searched, though it is complete or the settings name it"
    )
    indexed: bool = Field(default=False, description="whether an index of nearest neighbours is there")
    index: str = Field(default="", description="of the index: its size, how far its build is, or why there is none")
    discarded: bool = Field(
        default=False, description="whether somebody went back from it; going back once more returns"
    )
    texts: int = Field(default=0, description="embedded in all")
    tokens: int = Field(default=0, description="read for them")
    cut: int = Field(default=0, description="texts that were longer than the model reads")
    dollars: float = Field(default=0, description="what they cost")
    dollars_per_million: float = Field(default=0, description="what a million of its tokens cost")
    batch_model: str = Field(
        default="", description="model, or in Azure the deployment, of its batches; empty: the same"
    )
    batches: bool = Field(default=False, description="whether papers are given to the model in batches, or are to be")

    @property
    def label(self) -> str:
        """The model and its version, as people are shown them."""
        return f"{self.name} {self.version}"


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


class RefusedText(LazyModel):
    """A paper that a model refused to embed."""

    paper_id: UUID
    source: str
    source_id: str
    title: str
    reason: str = Field(description="what the model said last")
    refusals: int = Field(description="how often it did")
    failed: bool = Field(description="whether it is not asked again, unless a person says so")
    asked_again_at: datetime | None


class Swap(LazyModel):
    """Whether a version was put in the place of the one that was searched."""

    model_config = ConfigDict(frozen=True)
    swapped: bool
    held_because: str | None = None


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
