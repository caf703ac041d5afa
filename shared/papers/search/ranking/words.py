"""The papers that hold the words of a question, by how well they hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.search.models import Hit, Hits
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition

RANKED = 2_000
"""Papers that are ranked. A word in a quarter of a million papers would take seconds otherwise."""


async def with_words(connection: AsyncConnection[Any], written: str, condition: Condition, limit: int) -> Hits:
    """At most `limit` papers with all these words; `"two words"` stand together, `-word` must not be there."""
    query = f"""
        with question as (select websearch_to_tsquery('english', %(written)s) as words),
        matching as materialized (
            select p.paper_id, p.words from papers.papers p, question
            where p.words @@ question.words and {condition.sql} limit {RANKED + 1}
        )
        select paper_id, count(*) over () > {RANKED} as more from matching, question
        order by ts_rank_cd(matching.words, question.words) desc, paper_id limit %(limit)s
    """  # noqa: S608 - numbers, and conditions of ours
    papers = await rows(connection, query, {**condition.values, "written": written, "limit": limit}, prepare=False)
    hits = Hits(hits=[Hit(paper_id=row["paper_id"]) for row in papers], plan=["words"])
    if papers and papers[0]["more"]:
        hits.warnings.append(
            f"More than {RANKED:,} papers hold these words; by their words {RANKED:,} of them were ranked."
        )
    return hits
