"""Routes that a map is drawn from: its description, its files, what matches, what a point is."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any
from uuid import UUID

import azure.functions as func
from pydantic import ConfigDict, Field

from shared.papers.browsing import points
from shared.papers.browsing.matches import matches
from shared.papers.browsing.selections import MEDIA_TYPES, SelectionFormat, selection
from shared.papers.maps import files, versions
from shared.papers.maps.models import Map, MaxExtent
from shared.papers.search.models import COLUMNS, FoundPaper
from shared.papers.search.ranking.nearest import MOST
from shared.papers.search.search import check_fields
from shared.platform.access.auth import header
from shared.platform.http import Reply, Routes
from shared.platform.http.answers import HEADERS
from shared.platform.models import LazyModel
from triggers.papers.callers import READ
from triggers.papers.downloads import attachment, media_types
from triggers.papers.searching import FieldNames, Filters, Rectangle, Written, field_names

routes = Routes(tag="papers")
BINARY = "application/octet-stream"
FOR_EVER = "private, max-age=31536000, immutable"

_NUMBER = "[0-9]{1,9}"
_ID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PointNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]


class FileQuery(LazyModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")
    sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{16}$", description="beginning of its checksum, as in the address of the file"
    )


class AdditionsQuery(LazyModel):
    """Which additions."""

    model_config = ConfigDict(extra="forbid")
    after: PointNumber | None = Field(default=None, description="number of the first; unset: the first addition")


class MatchesQuery(LazyModel):
    """What points must match."""

    model_config = ConfigDict(extra="forbid")
    filters: Filters | None = None
    bbox: Rectangle | None = None
    search_text: Written | None = Field(default=None, description=f"then the best {MOST:,} that are found for it match")


class PapersQuery(LazyModel):
    """Which points."""

    model_config = ConfigDict(extra="forbid")
    points: str = Field(
        pattern=rf"^{_NUMBER}(,{_NUMBER}){{0,{points.MOST_POINTS - 1}}}$",
        description=f"at most {points.MOST_POINTS} numbers, by commas",
    )
    fields: FieldNames | None = None


class PlacesQuery(LazyModel):
    """Which papers."""

    model_config = ConfigDict(extra="forbid")
    papers: str = Field(
        pattern=rf"^{_ID}(,{_ID}){{0,{points.MOST_POINTS - 1}}}$",
        max_length=37 * points.MOST_POINTS,
        description=f"at most {points.MOST_POINTS} ids, by commas",
    )


class Selection(LazyModel):
    """Which points to give away, and how."""

    model_config = ConfigDict(extra="forbid")
    points: list[Annotated[PointNumber, Field(strict=True)]] = Field(min_length=1, max_length=points.MOST_SELECTED)
    format: SelectionFormat = "parquet"


class PointPaper(FoundPaper):
    """A paper with the number of its point."""

    point: int


class PointPapers(LazyModel):
    """The papers of points."""

    papers: list[PointPaper]


class Places(LazyModel):
    """Where papers lie."""

    places: list[points.PaperPlace]


@routes.get("/api/papers/map", needs=READ, summary="The map that is seen: extent, classes, clusters, files")
async def papers_map() -> Reply[Map]:
    """All that a renderer needs besides the files that it names; docs/papers-map.md has their bytes."""
    described = await versions.current()
    digest = hashlib.sha256(described.model_dump_json().encode()).hexdigest()[:32]
    return Reply(described, headers={"ETag": f'"{digest}"', "Cache-Control": "no-cache"})


@routes.get("/api/max-extent", needs=READ, summary="The rectangle that the map's points lie in")
async def papers_max_extent() -> MaxExtent:
    return await versions.max_extent()


@routes.get("/api/papers/map/{version}/points", needs=READ, summary="All points of a version, as bytes")
async def papers_map_points(version: int, query: FileQuery, request: func.HttpRequest) -> func.HttpResponse:
    """Never changed, so that they may be kept for ever under the address that `GET /api/papers/map` gives."""
    return await _file(version, "points", query.sha256, request)


@routes.get("/api/papers/map/{version}/density", needs=READ, summary="How many points lie where, as bytes")
async def papers_map_density(version: int, query: FileQuery, request: func.HttpRequest) -> func.HttpResponse:
    """For the view from far off. It may be kept as the points may."""
    return await _file(version, "density", query.sha256, request)


@routes.get("/api/papers/map/{version}/additions", needs=READ, summary="Points that came since, as bytes")
async def papers_map_additions(version: int, query: AdditionsQuery) -> func.HttpResponse:
    """As the file of points has them; at most 65,536 at once."""
    return func.HttpResponse(await points.additions(version, query.after), mimetype=BINARY, headers=HEADERS)


@routes.get("/api/papers/map/{version}/matches", needs=READ, summary="The numbers of all points that match")
async def papers_map_matches(version: int, query: MatchesQuery) -> func.HttpResponse:
    """As uint32, little-endian, ascending; of additions too."""
    numbers = await matches(version, query.filters, query.bbox, query.search_text)
    return func.HttpResponse(numbers, mimetype=BINARY, headers=HEADERS | {"X-Total-Count": str(len(numbers) // 4)})


@routes.get("/api/papers/map/{version}/papers", needs=READ, summary="The papers of points")
async def papers_map_papers(version: int, query: PapersQuery) -> PointPapers:
    """In the order of the points; those without a paper are left out."""
    fields = check_fields(field_names(query.fields), tuple(COLUMNS))
    rows = await points.papers_of(version, [int(number) for number in query.points.split(",")], fields)
    papers: Any = [{name: paper[name] for name in ("point", *fields) if name in paper} for paper in rows]
    return PointPapers(papers=papers)


@routes.get("/api/papers/map/{version}/places", needs=READ, summary="Where papers lie")
async def papers_map_places(version: int, query: PlacesQuery) -> Places:
    """Papers that have no place are left out."""
    ids = [UUID(paper_id) for paper_id in query.papers.split(",")]
    return Places(places=await points.places_of(version, ids))


@routes.post(
    "/api/papers/map/{version}/export",
    needs=READ,
    summary="A selection of points as a file",
    produces=media_types(MEDIA_TYPES),
)
async def papers_map_export(version: int, body: Selection) -> func.HttpResponse:
    """Parquet has where they lie and the region's name too, as embedding-atlas reads it."""
    return func.HttpResponse(
        await selection(version, body.points, body.format),
        mimetype=MEDIA_TYPES[body.format],
        headers=HEADERS | attachment("selection", body.format),
    )


async def _file(version: int, name: str, sha256: str | None, request: func.HttpRequest) -> func.HttpResponse:
    drawn = await versions.drawn_file(version, name, sha256)
    etag = f'"{drawn["sha256"][:32]}"'
    kept = FOR_EVER if sha256 else "no-cache"  # without the checksum the address may come to mean another file
    headers = HEADERS | {"ETag": etag, "Cache-Control": kept}
    if etag in header(request, "If-None-Match"):
        return func.HttpResponse(status_code=304, headers=headers)
    data = await files.read(version, drawn["file"], drawn["sha256"])
    return func.HttpResponse(data, mimetype=BINARY, headers=headers)
