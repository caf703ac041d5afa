"""What is asked for, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict  # Python 3.11's own lacks what pydantic reads

from shared.platform.cursors import Next
from shared.platform.models import LazyModel


class FoundPaper(TypedDict, total=False):
    """A paper with the fields that were asked for. Its names begin as the predecessor's do."""

    doctrove_paper_id: str
    doctrove_source: str
    doctrove_source_id: str
    doctrove_title: str
    doctrove_abstract: str | None
    doctrove_authors: list[str]
    doctrove_primary_date: str | None
    doctrove_links: str | None
    categories: list[str]
    doi: str | None
    arxiv_id: str | None
    withdrawn: bool
    similarity: float


COLUMNS: Final = {
    "doctrove_paper_id": "p.paper_id::text",
    "doctrove_source": "p.source",
    "doctrove_source_id": "p.source_id",
    "doctrove_title": "p.title",
    "doctrove_abstract": "p.abstract",
    "doctrove_authors": "p.authors",
    "doctrove_primary_date": "p.primary_date::text",
    "doctrove_links": "p.link",
    "categories": "p.categories",
    "doi": "p.doi",
    "arxiv_id": "p.arxiv_id",
    "withdrawn": "p.withdrawn",
}
"""The fields of papers, and where they stand."""
FIELDS: Final = (*COLUMNS, "similarity")
"""The fields of an answer: the similarity is computed."""
DEFAULT_FIELDS: Final = tuple(name for name in COLUMNS if name != "doctrove_abstract")

Sort = Literal["relevance", "newest", "oldest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for.

    Attributes:
        written: words, a sentence, a DOI or an arXiv id; None: a list of all that the filters let through.
        similar_to: a paper in place of words.
        filters: in the language of filters.
        bbox: a rectangle of the current map, x1,y1,x2,y2.
        threshold: least cosine of what is found by its meaning.
        after: `next` of the page before; of lists alone.
    """

    written: str | None = None
    similar_to: UUID | None = None
    filters: str | None = None
    bbox: str | None = None
    fields: tuple[str, ...] = DEFAULT_FIELDS
    threshold: float | None = None
    limit: int = 100
    sort: Sort = "relevance"
    after: str | None = None

    @property
    def by_relevance(self) -> bool:
        """Whether the papers come in the order of their relevance, with their similarity."""
        return self.sort == "relevance" and bool(self.written or self.similar_to)

    @property
    def answered(self) -> tuple[str, ...]:
        """The fields that the papers of the answer have."""
        return tuple(dict.fromkeys((*self.fields, "similarity"))) if self.by_relevance else self.fields


Plan = Literal["list", "identifier", "exact", "index", "words"]
"""How papers were found: all that match, in order; by their name; each vector compared; the index of nearest
neighbours; the index of words."""


class Found(LazyModel):
    """Papers, and how they were found."""

    results: list[FoundPaper]
    total_count: int = Field(description="papers that the filters let through")
    total_count_estimated: bool = Field(description="whether that was estimated: over 10,000 nobody counts")
    plan: list[Plan] = Field(description="how they were found")
    warnings: list[str] = Field(description="what the answer leaves out, and why")
    execution_time_ms: float
    next: Next = Field(default=None, description="`cursor` of the next page of a list; null on the last one")


class Hit(LazyModel):
    """A paper that is near to a question."""

    paper_id: UUID
    similarity: Annotated[float | None, Field(description="cosine, -1 to 1; null where it has no vector")] = None


class Hits(LazyModel):
    """Papers in the order of their nearness, and how they were found."""

    hits: list[Hit]
    plan: list[Plan]
    warnings: list[str] = Field(default_factory=list[str])
