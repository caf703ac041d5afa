"""One order out of several: who stands high in any of them stands high, and higher who does in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.papers.search.models import Hit, Hits

if TYPE_CHECKING:
    from uuid import UUID

_SMOOTHING = 60
"""Of reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009): how little the first places outweigh the next."""


def fused(orders: list[Hits], limit: int) -> Hits:
    """The orders as one, by the sum of 1 / (60 + place)."""
    scores: dict[UUID, float] = {}
    similarity: dict[UUID, float | None] = {}
    for order in orders:
        for place, hit in enumerate(order.hits):
            scores[hit.paper_id] = scores.get(hit.paper_id, 0.0) + 1 / (_SMOOTHING + place + 1)
            similarity[hit.paper_id] = similarity.get(hit.paper_id) or hit.similarity
    best = sorted(scores, key=lambda paper: (-scores[paper], paper))[:limit]
    return Hits(
        hits=[Hit(paper_id=paper, similarity=similarity[paper]) for paper in best],
        plan=[step for order in orders for step in order.plan],
        warnings=[warning for order in orders for warning in order.warnings],
    )
