"""When a file would spoil the table, as a pure rule over what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.papers.settings import PaperSettings

FEWEST_KNOWN = 20
"""Papers that are known already of which a share says something."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file holds, and what it would do to papers that are known.

    Attributes:
        known: papers of the file that are known, and of which the file's record is no older one.
        losing_abstract: of these, how many have an abstract, which the file's record lacks.
        losing_authors, losing_date, losing_name: the same of authors, of a date, and of a DOI or arXiv id.
        renamed: of these, how many have another title.
    """

    records: int
    rejected: int
    known: int
    losing_abstract: int
    losing_authors: int
    losing_date: int
    losing_name: int
    renamed: int


def reasons(figures: Figures, limits: PaperSettings) -> list[str]:
    """Why a file with these figures is held back; empty: it is not."""
    because: list[str] = []
    read = figures.records + figures.rejected
    if not figures.records:
        because.append(f"none of its {read:,} records could be read")
    elif figures.rejected > limits.papers_rejected_limit * read:
        because.append(_share_of(figures.rejected, read, "records could not be read", limits.papers_rejected_limit))
    if figures.known < FEWEST_KNOWN:
        return because
    limit = limits.papers_lost_abstracts_limit
    for losing, what in [
        (figures.losing_abstract, "abstract"),
        (figures.losing_authors, "authors"),
        (figures.losing_date, "date"),
        (figures.losing_name, "DOI or arXiv id"),
    ]:
        if losing > limit * figures.known:
            because.append(_share_of(losing, figures.known, f"known papers would lose their {what}", limit))
    if figures.renamed > limits.papers_renamed_limit * figures.known:
        limit = limits.papers_renamed_limit
        because.append(_share_of(figures.renamed, figures.known, "known papers would change their title", limit))
    return because


def _share_of(part: int, whole: int, what: str, limit: float) -> str:
    return f"{part:,} of {whole:,} {what}, more than {limit:.0%}"
