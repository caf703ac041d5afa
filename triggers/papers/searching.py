"""Routes that find papers, show one, and give them away as files."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import UUID

import azure.functions as func
from pydantic import ConfigDict, Field

from shared.papers.search import figures, papers
from shared.papers.search.exports import MEDIA_TYPES, Format, arrow, exported
from shared.papers.search.filtering.filters import LONGEST
from shared.papers.search.models import COLUMNS, DEFAULT_FIELDS, FIELDS, Found, Question, Sort
from shared.papers.search.ranking.nearest import MOST
from shared.papers.search.search import search, with_fields
from shared.platform.access.auth import PUBLIC
from shared.platform.cursors import OPENED, sealed
from shared.platform.http import Reply, Routes
from shared.platform.http.answers import HEADERS
from shared.platform.models import LazyModel
from triggers.papers.callers import READ
from triggers.papers.downloads import attachment, media_types

routes = Routes(tag="papers")
ARROW = "application/vnd.apache.arrow.stream"

_NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?"
Written = Annotated[str, Field(min_length=1, max_length=2_000)]
Filters = Annotated[
    str, Field(max_length=LONGEST, description="such as: year >= 2020 and category in (cs.LG, stat.ML)")
]
Rectangle = Annotated[
    str,
    Field(
        max_length=200,
        pattern=rf"^{_NUMBER}(,{_NUMBER}){{3}}$",
        description="of the current map, by two corners: x1,y1,x2,y2",
    ),
]
FieldNames = Annotated[str, Field(max_length=500, description=f"of the answer, by commas: {', '.join(COLUMNS)}")]
SearchFields = Annotated[str, Field(max_length=500, description=f"of the answer, by commas: {', '.join(FIELDS)}")]


class SearchQuery(LazyModel):
    """What to find."""

    model_config = ConfigDict(extra="forbid")
    search_text: Written | None = Field(default=None, description="words, a sentence, a DOI or an arXiv id")
    filters: Filters | None = None
    bbox: Rectangle | None = None
    fields: SearchFields | None = None
    similarity_threshold: float | None = Field(
        default=None, ge=-1, le=1, description="least cosine of what is found for `search_text`"
    )
    limit: int = Field(
        default=100, ge=1, le=50_000, description=f"most papers; {MOST} where they are ordered by relevance"
    )
    sort: Sort = Field(default="relevance", description="without `search_text`, relevance means newest")
    cursor: Annotated[str, Field(max_length=200), OPENED] | None = Field(
        default=None, description="`next` of the page before; of lists alone"
    )


class SimilarQuery(LazyModel):
    """Among which papers to look."""

    model_config = ConfigDict(extra="forbid")
    filters: Filters | None = None
    fields: SearchFields | None = None
    limit: int = Field(default=20, ge=1, le=MOST)


class ExportQuery(LazyModel):
    """What to give away, and how."""

    model_config = ConfigDict(extra="forbid")
    format: Format = "csv"
    search_text: Written | None = None
    filters: Filters | None = None
    limit: int = Field(default=1_000, ge=1, le=5_000)
    sort: Literal["newest", "oldest"] = "newest"
    cursor: Annotated[str, Field(max_length=200), OPENED] | None = Field(
        default=None, description="the header X-Next of the file before"
    )


class Sources(LazyModel):
    """The sources with their figures."""

    sources: list[figures.SourceFigures]


@routes.get("/api/papers", needs=READ, summary="Find papers by meaning, words and filters")
async def papers_search(query: SearchQuery) -> Found:
    """With `search_text`, those nearest to it: all that match, or `limit` of them, never fewer. `plan` says how."""
    return await search(_question(query))


@routes.get("/api/papers/arrow", needs=READ, summary="The same as one stream of Apache Arrow", produces=ARROW)
async def papers_arrow(query: SearchQuery) -> func.HttpResponse:
    """For programs that draw or count many papers. What JSON has beside the papers stands in headers.

    They are X-Total-Count, X-Total-Count-Estimated, X-Plan, X-Warnings (a JSON array), and X-Next, a `cursor`.
    """
    question = _question(query)
    answer = await search(question)
    headers = _headers(answer, papers_arrow.__name__)
    return func.HttpResponse(arrow(answer.results, question.answered), mimetype=ARROW, headers=headers)


@routes.get("/api/papers/export", needs=READ, summary="Papers as CSV, RIS or BibTeX", produces=media_types(MEDIA_TYPES))
async def papers_export(query: ExportQuery) -> func.HttpResponse:
    """At most `limit`; where more follow, the header X-Next has the `cursor` of the next file."""
    answer = await search(
        Question(
            written=query.search_text,
            filters=query.filters,
            fields=tuple(COLUMNS),
            limit=query.limit,
            sort=query.sort,
            after=query.cursor,
        )
    )
    return func.HttpResponse(
        exported(answer.results, query.format, first=query.cursor is None),
        mimetype=MEDIA_TYPES[query.format],
        headers=_headers(answer, papers_export.__name__) | attachment("papers", query.format),
    )


@routes.get("/api/sources", needs=READ, summary="The sources, and how many papers each has")
async def papers_sources() -> Sources:
    return Sources(sources=await figures.by_source())


@routes.get("/api/stats", needs=READ, summary="How many papers there are, and how many have a vector")
async def papers_stats() -> figures.Figures:
    return await figures.totals()


@routes.get(
    "/api/health/enrichment", needs=PUBLIC, summary="Do papers get their vectors?", also={503: figures.Enrichment}
)
async def papers_enrichment() -> Reply[figures.Enrichment]:
    """Yellow while papers wait or failed, red when papers are there and no model is."""
    enrichment = await figures.enrichment()
    return Reply(enrichment, status=503 if enrichment.status == "red" else 200)


@routes.get("/api/papers/{paper_id}", needs=READ, summary="One paper")
async def papers_read(paper_id: UUID) -> papers.PaperDetail:
    """With the same work in other sources, as its DOI and arXiv id tell."""
    return await papers.read(paper_id)


@routes.get("/api/papers/{paper_id}/similar", needs=READ, summary="The papers nearest to one")
async def papers_similar(paper_id: UUID, query: SimilarQuery) -> Found:
    await papers.read(paper_id)
    question = Question(similar_to=paper_id, filters=query.filters, limit=query.limit)
    return await search(with_fields(question, field_names(query.fields)))


def _headers(answer: Found, name: str) -> dict[str, str]:
    """What an answer of the operation of this name, which is no JSON, says beside its papers."""
    following = {"X-Next": sealed(answer.next, name)} if answer.next else {}
    return (
        HEADERS
        | following
        | {
            "X-Total-Count": str(answer.total_count),
            "X-Total-Count-Estimated": json.dumps(answer.total_count_estimated),
            "X-Plan": ", ".join(answer.plan),
            "X-Warnings": json.dumps(answer.warnings),
        }
    )


def _question(query: SearchQuery) -> Question:
    question = Question(
        written=query.search_text,
        filters=query.filters,
        bbox=query.bbox,
        threshold=query.similarity_threshold,
        limit=query.limit,
        sort=query.sort,
        after=query.cursor,
    )
    return with_fields(question, field_names(query.fields))


def field_names(written: str | None) -> tuple[str, ...]:
    """The names of fields that were written, by commas, each once; those of an answer where none were."""
    return tuple(dict.fromkeys(part for part in written.split(",") if part)) if written else DEFAULT_FIELDS
