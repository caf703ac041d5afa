"""arXiv in the two shapes that its records go around in: the metadata snapshot, and entries of a listing."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from shared.papers.sources import text
from shared.papers.sources.identifiers import arxiv_id_of, doi_of
from shared.papers.sources.paper import Adapter, Paper
from shared.papers.sources.rejected import RecordRejected
from shared.papers.sources.values import list_of, object_of

_WITHDRAWN = ("this paper has been withdrawn", "withdrawn", "this submission has been withdrawn")


def from_snapshot(record: dict[str, Any]) -> Paper:
    """A line of the metadata snapshot.

    Raises:
        RecordRejected: it has no id, no title, or a date that is none.
    """
    arxiv_id = text.identifier(record.get("id"))
    summary = text.abstract(record.get("abstract"))
    first, last = _versions(record.get("versions"))
    updated = text.moment_of(record.get("update_date"), "update_date")
    return Paper(
        source_id=arxiv_id,
        title=text.title(record.get("title")),
        abstract=summary,
        authors=_authors(record),
        categories=_categories(record.get("categories")),
        primary_date=first.date() if first else updated.date() if updated else None,
        doi=doi_of(record.get("doi")),
        arxiv_id=arxiv_id_of(arxiv_id),
        link=f"https://arxiv.org/abs/{arxiv_id}",
        withdrawn=_is_withdrawn(summary, text.line(record.get("comments"), "comments")),
        version_at=max((moment for moment in (last, updated) if moment), default=None),
        details=_details(record),
    )


def from_listing(record: dict[str, Any]) -> Paper:
    """An entry of a listing: it has neither id nor date, so that its title and first author stand for it.

    Raises:
        RecordRejected: it has no title.
    """
    title = text.title(record.get("title"))
    authors = text.names([_name(author) for author in list_of(record.get("authors"))])
    identity = f"{text.folded(title)}\n{text.folded(authors[0]) if authors else ''}"
    summary = text.abstract(record.get("summary"))
    return Paper(
        source_id=sha256(identity.encode()).hexdigest()[:32],
        title=title,
        abstract=summary,
        authors=authors,
        categories=tuple(dict.fromkeys(_terms(record.get("tags")))),
        withdrawn=_is_withdrawn(summary, ""),
    )


def _authors(record: dict[str, Any]) -> tuple[str, ...]:
    """`authors_parsed` has [last, first, suffix]; `authors` has TeX and no certain separator."""
    parsed = list_of(record.get("authors_parsed"))
    if not parsed:
        return text.names([text.line(record.get("authors"), "authors")])
    return text.names([" ".join(_parts(author)) for author in parsed])


def _parts(author: Any) -> list[str]:
    parts = [text.line(part, "authors") for part in list_of(author)[:3]]
    last, first, suffix = [*parts, "", "", ""][:3]
    return [part for part in (first, last, suffix) if part]


def _versions(value: Any) -> tuple[datetime | None, datetime | None]:
    """When the first and the last version were made."""
    moments = [_moment(version) for version in list_of(value)]
    dated = [moment for moment in moments if moment]
    return (dated[0], dated[-1]) if dated else (None, None)


def _moment(version: Any) -> datetime | None:
    created = object_of(version).get("created")
    if not isinstance(created, str):
        return None
    try:
        moment = parsedate_to_datetime(created)
    except ValueError:
        raise RecordRejected(f"its version {created[:40]!r} is no date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _categories(value: Any) -> tuple[str, ...]:
    """Several stand in one string, and in lists of such strings."""
    listed = list_of(value) if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(part for entry in listed for part in text.line(entry, "categories").split()))


def _terms(tags: Any) -> list[str]:
    terms = [object_of(tag).get("term") if isinstance(tag, dict) else tag for tag in list_of(tags)]
    return [name for term in terms if (name := text.line(term, "tags"))]


def _name(author: Any) -> Any:
    return object_of(author).get("name") if isinstance(author, dict) else author


def _details(record: dict[str, Any]) -> dict[str, Any]:
    columns = {"journal_ref": "journal-ref", "comments": "comments", "license": "license", "report_no": "report-no"}
    texts = {name: text.line(record.get(key), key)[:1_000] for name, key in columns.items()}
    return {name: value for name, value in texts.items() if value}


def _is_withdrawn(summary: str | None, comments: str) -> bool:
    begins = (summary or "").lower()
    return begins.startswith(_WITHDRAWN) or "withdrawn by" in begins[:200] or comments.lower().startswith(_WITHDRAWN)


_SNAPSHOT_COLUMNS = [
    "id",
    "title",
    "abstract",
    "versions",
    "update_date",
    "authors",
    "authors_parsed",
    "categories",
    "doi",
    "comments",
    "journal-ref",
    "license",
    "report-no",
]
SNAPSHOT = Adapter(from_snapshot, frozenset(_SNAPSHOT_COLUMNS), frozenset({"id", "title"}))
LISTING = Adapter(from_listing, frozenset({"title", "authors", "summary", "tags"}), frozenset({"title"}))
