"""A paper as every source's adapter gives it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from shared.papers.sources.text import name_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What is known of one paper.

    Attributes:
        source_id: what the source calls it.
        abstract: None where the source has none.
        authors: their names as they are written, in order.
        primary_date: the day of its first version; None where the source does not say.
        doi: in lower case, without an address.
        arxiv_id: without its version.
        link: an address of it.
        withdrawn: whether its authors took it back.
        version_at: the record's own date, by which the newer one of two is known.
        details: what else the source says, as JSON.
    """

    source_id: str
    title: str
    abstract: str | None = None
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    primary_date: date | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    link: str | None = None
    withdrawn: bool = False
    version_at: datetime | None = None
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    def author_keys(self) -> list[str]:
        """The parts of the authors' names without case and accents, each once: what an author is looked up by."""
        return sorted({part for name in self.authors for part in name_key(name).split()})

    def details_json(self) -> str:
        """`details` as JSON text, the same whatever the order of its keys."""
        return json.dumps(self.details, sort_keys=True, separators=(",", ":"))

    def content_hash(self) -> bytes:
        """The sha256 of all that is known: two records with the same one change nothing about each other."""
        whole = (
            self.source_id,
            self.title,
            self.abstract,
            self.authors,
            self.categories,
            str(self.primary_date),
            self.doi,
            self.arxiv_id,
            self.link,
            self.withdrawn,
            str(self.version_at),
            self.details_json(),
        )
        return sha256(repr(whole).encode()).digest()


@dataclass(frozen=True, slots=True)
class Adapter:
    """How the records of a source are read.

    Attributes:
        paper: makes a paper of a record. Raises RecordRejected.
        columns: all of a record that it looks at.
        required: those that a file must have which names its columns once for all records.
    """

    paper: Callable[[dict[str, Any]], Paper]
    columns: frozenset[str]
    required: frozenset[str]
