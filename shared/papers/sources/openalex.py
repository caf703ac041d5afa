"""OpenAlex: works as its snapshot has them (https://docs.openalex.org/api-entities/works/work-object)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from shared.papers.sources import text
from shared.papers.sources.identifiers import arxiv_id_of, doi_of
from shared.papers.sources.paper import Adapter, Paper
from shared.papers.sources.rejected import RecordRejected
from shared.papers.sources.values import list_of, object_of

MOST_POSITIONS = 20_000
"""Words of an abstract that are read; the longest real ones have some thousand."""


def from_openalex(record: dict[str, Any]) -> Paper:
    """A work.

    Raises:
        RecordRejected: it has no id, no title, an abstract that cannot be put together, or a date that is none.
    """
    ids = object_of(record.get("ids"))
    location = object_of(record.get("primary_location"))
    landing = location.get("landing_page_url")
    doi = doi_of(record.get("doi") or ids.get("doi"))
    return Paper(
        source_id=text.identifier(record.get("id")).rsplit("/", 1)[-1],
        title=text.title(record.get("title") or record.get("display_name")),
        abstract=text.abstract(abstract_of(record.get("abstract_inverted_index"))),
        authors=text.names([_author(authorship) for authorship in list_of(record.get("authorships"))]),
        categories=_fields(record),
        primary_date=text.day_of(record.get("publication_date") or record.get("publication_year"), "publication_date"),
        doi=doi,
        arxiv_id=arxiv_id_of(landing) or arxiv_id_of(doi),
        link=text.link_of(landing) or (f"https://doi.org/{doi}" if doi else None),
        withdrawn=record.get("is_retracted") is True,
        version_at=text.moment_of(record.get("updated_date"), "updated_date"),
        details={"type": kind} if (kind := text.line(record.get("type"), "type")[:100]) else {},
    )


def abstract_of(inverted: Any) -> str | None:
    """The text of an inverted index, which has for each word the places where it stands.

    Raises:
        RecordRejected: it is no such index, or longer than MOST_POSITIONS.
    """
    if isinstance(inverted, str):  # Parquet files hold it as JSON text
        from pydantic_core import from_json  # noqa: PLC0415 - only these files need it

        with suppress(ValueError):
            inverted = from_json(inverted)
    if not inverted:
        return None
    if not isinstance(inverted, dict):
        raise RecordRejected("its abstract is no inverted index")
    placed: dict[int, str] = {}
    for word, places in cast("dict[str, Any]", inverted).items():
        for place in list_of(places):
            if type(place) is not int or not 0 <= place < MOST_POSITIONS:
                raise RecordRejected("its abstract has a word at a place that is none")
            placed[place] = word
    return " ".join(placed[place] for place in sorted(placed))


def _author(authorship: Any) -> Any:
    author = object_of(authorship)
    return object_of(author.get("author")).get("display_name") or author.get("raw_author_name")


def _fields(record: dict[str, Any]) -> tuple[str, ...]:
    topic = object_of(record.get("primary_topic"))
    named = [object_of(topic.get(level)).get("display_name") for level in ("field", "subfield")]
    return tuple(dict.fromkeys(field for name in named if (field := text.line(name, "primary_topic"))))


_COLUMNS = [
    "id",
    "ids",
    "doi",
    "title",
    "display_name",
    "abstract_inverted_index",
    "authorships",
    "primary_location",
    "primary_topic",
    "publication_date",
    "publication_year",
    "is_retracted",
    "updated_date",
    "type",
]
OPENALEX = Adapter(from_openalex, frozenset(_COLUMNS), frozenset({"id"}))
