"""Any file of columns: a mapping says which of them holds what."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field

from shared.papers.sources import text
from shared.papers.sources.identifiers import arxiv_id_of, doi_of
from shared.papers.sources.paper import Adapter, Paper
from shared.platform.models import LazyModel

ColumnName = Annotated[str, Field(min_length=1, max_length=200)]


class ColumnMapping(LazyModel):
    """The column of a file that holds each of our fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source_id: ColumnName = Field(description="what the source calls the paper")
    title: ColumnName
    abstract: ColumnName | None = None
    authors: ColumnName | None = Field(default=None, description="names, divided by `separator`")
    categories: ColumnName | None = Field(default=None, description="divided by `separator`")
    primary_date: ColumnName | None = Field(default=None, description="YYYY-MM-DD, YYYY-MM or YYYY")
    doi: ColumnName | None = None
    arxiv_id: ColumnName | None = None
    link: ColumnName | None = None
    version_at: ColumnName | None = Field(default=None, description="when the record was changed, ISO 8601")
    separator: str = Field(default=";", min_length=1, max_length=3)


def adapter_for(mapping: ColumnMapping) -> Adapter:
    """The adapter of a file with these columns."""

    def paper(record: dict[str, Any]) -> Paper:
        def of(column: str | None) -> Any:
            return record.get(column) if column else None

        doi, link = doi_of(of(mapping.doi)), text.link_of(of(mapping.link))
        return Paper(
            source_id=text.identifier(of(mapping.source_id)),
            title=text.title(of(mapping.title)),
            abstract=text.abstract(of(mapping.abstract)),
            authors=_divided(of(mapping.authors), mapping.separator, "authors"),
            categories=_divided(of(mapping.categories), mapping.separator, "categories"),
            primary_date=text.day_of(of(mapping.primary_date), "primary_date"),
            doi=doi,
            arxiv_id=arxiv_id_of(of(mapping.arxiv_id)) or arxiv_id_of(doi) or arxiv_id_of(link),
            link=link,
            version_at=text.moment_of(of(mapping.version_at), "version_at"),
        )

    named = frozenset(column for column in mapping.model_dump(exclude={"separator"}).values() if column)
    return Adapter(paper, columns=named, required=named)


def _divided(value: Any, separator: str, field: str) -> tuple[str, ...]:
    """The values of a column that holds several, as text or, in Parquet, as a list."""
    listed = cast("list[Any]", value) if isinstance(value, list) else text.line(value, field).split(separator)
    return text.names(listed, field)
