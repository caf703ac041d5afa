"""What the layers say to each other about maps."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel

SHARE_ROWS = 2_000
"""Rows of the sample whose neighbours one activity finds."""

State = Literal["building", "current", "previous", "failed", "dropped"]


class Extent(LazyModel):
    """The rectangle that all points of a map lie in."""

    model_config = ConfigDict(frozen=True)
    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def sides(self) -> tuple[float, float, float, float]:
        """Its sides in the order in which files have them."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    @property
    def widest(self) -> float:
        """Its longer side."""
        return max(self.x_max - self.x_min, self.y_max - self.y_min)


class MaxExtent(Extent):
    """The extent of the current map."""

    version: int


class Class(LazyModel):
    """A source, by the number that points have for it."""

    number: int = Field(alias="class", description="0 to 254, the commonest source first")
    name: str
    papers: int
    model_config = ConfigDict(populate_by_name=True)


class Cluster(LazyModel):
    """A region of the map."""

    cluster: int
    level: int = Field(description="0 is the coarsest")
    parent: int | None = Field(description="`cluster` of the one above it")
    name: str
    words: list[str] = Field(description="the terms that tell it from the others, the best first")
    papers: int
    x: float = Field(description="where its label goes")
    y: float
    number: int | None = Field(description="what its points hold; the finest level's alone")


class Years(LazyModel):
    """From when to when the papers are."""

    first: int | None
    last: int | None
    undated: int


class File(LazyModel):
    """A file of a version, which never changes."""

    href: str
    bytes: int
    sha256: str


class Drift(LazyModel):
    """Whether another fit is due, and why."""

    due: bool
    because: list[str]


class MapVersion(LazyModel):
    """A version of the map, and how far it is."""

    version: int
    state: State
    model: str = Field(description="whose vectors it was fitted to")
    fitter: str | None = Field(description="tsne or pca; null until it is fitted")
    papers: int = Field(description="points of its file")
    additions: int = Field(description="papers that came since it was drawn")
    moved: float | None = Field(
        description="median way of the papers that are on the version before too, as a share of the extent"
    )
    drift: Drift
    error: str | None
    started_at: datetime
    current_since: datetime | None


class Map(LazyModel):
    """All that a renderer needs besides the version's files."""

    version: int
    state: State
    model: str
    fitter: str
    papers: int
    additions: int
    extent: Extent
    classes: list[Class]
    years: Years
    levels: int
    clusters: list[Cluster]
    points: File
    density: File
    moved: float | None
    drift: Drift
    started_at: datetime
    current_since: datetime | None


class MapRef(LazyModel):
    """Which version."""

    model_config = ConfigDict(frozen=True)
    version: int


class MapPlan(LazyModel):
    """What there is to do for a version."""

    model_config = ConfigDict(frozen=True)
    ended: bool = Field(description="whether it was ended before, one way or another")
    sampled: int = 0
    shares: int = Field(default=0, description="of the papers, which are placed at once")


class NeighbourShare(LazyModel):
    """Rows of the sample whose nearest rows are to be found."""

    model_config = ConfigDict(frozen=True)
    version: int
    first: int
    count: int


class FitBox(LazyModel):
    """A time box of a fit, and the steps before it."""

    model_config = ConfigDict(frozen=True)
    version: int
    done: int


class Fitted(LazyModel):
    """How far a fit is."""

    model_config = ConfigDict(frozen=True)
    done: int
    steps: int


class PlaceShare(LazyModel):
    """A share of the papers that are to be placed."""

    model_config = ConfigDict(frozen=True)
    version: int
    share: int


class Placed(LazyModel):
    """How many papers were placed."""

    model_config = ConfigDict(frozen=True)
    papers: int
    done: bool = True


class EndMap(LazyModel):
    """A version that cannot be made, and why."""

    model_config = ConfigDict(frozen=True)
    version: int
    error: str


class MapSummary(LazyModel):
    """What making a version came to."""

    model_config = ConfigDict(frozen=True)
    version: int
    papers: int = 0
    ended_before: bool = False
