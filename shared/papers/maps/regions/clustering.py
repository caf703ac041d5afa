"""The regions of a map with their names: what is common to their papers, in terms of theirs or in a model's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from shared.papers.maps.models import Cluster
from shared.papers.maps.regions.namers import namer
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

_TITLES = 5
"""Of a region, which whoever names it is shown."""


async def regions(version: int, papers: Sequence[UUID], positions: Any, before: Any) -> tuple[list[Cluster], Any]:
    """The clusters of all levels, the coarsest first, and the middles of the finest.

    Args:
        version: of the map; says what is random.
        papers: of the sample.
        positions: where they lie.
        before: middles of the finest clusters of the map before, which keep their numbers; None: there is none.
    """
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    from shared.papers.maps.layout import clusters, naming  # noqa: PLC0415 - as above

    sizes = clusters.sizes(len(papers))
    middles = clusters.fine(positions, sizes[-1], version, before=before)
    own = clusters.nearest(positions, middles)
    terms, titles = await _terms_and_titles(papers, own.tolist(), len(middles))
    weights = np.bincount(own, minlength=len(middles))
    levels = [*(clusters.joined(middles, weights, size) for size in sizes[:-1]), list(range(len(middles)))]
    named_clusters: list[Cluster] = []
    titles_of: list[list[str]] = []
    number_at: dict[tuple[int, int], int] = {}
    for level, labels in enumerate(levels):
        groups = [[fine for fine, label in enumerate(labels) if label == number] for number in sorted(set(labels))]
        counted = [sum((terms[fine] for fine in group), Counter[str]()) for group in groups]
        for group, words in zip(groups, naming.distinctive(counted), strict=True):
            inside = np.isin(own, group)
            if not inside.any():
                continue  # a region of the map before that nobody is in any more
            x, y = np.median(positions[inside], axis=0).tolist()
            cluster = Cluster(
                cluster=len(named_clusters),
                level=level,
                parent=number_at[level - 1, levels[level - 1][group[0]]] if level else None,
                name=naming.name_of(words),
                words=words,
                papers=int(inside.sum()),
                x=x,
                y=y,
                number=group[0] if level == len(levels) - 1 else None,
            )
            number_at[level, labels[group[0]]] = cluster.cluster
            named_clusters.append(cluster)
            titles_of.append([title for fine in group for title in titles[fine][:_TITLES]][:_TITLES])
    return await namer().named(named_clusters, titles_of), middles


async def _terms_and_titles(
    papers: Sequence[UUID], own: list[int], count: int
) -> tuple[list[Counter[str]], list[list[str]]]:
    """The terms of the papers of each finest cluster, and some of their titles."""
    from shared.papers.maps.layout import naming  # noqa: PLC0415 - as above

    async with database() as connection:
        texts = await rows(
            connection, "select paper_id, title, abstract from papers.papers where paper_id = any(%s)", (list(papers),)
        )
    cluster_of = dict(zip(papers, own, strict=True))
    terms: list[Counter[str]] = [Counter() for _ in range(count)]
    titles: list[list[str]] = [[] for _ in range(count)]
    for row in texts:
        cluster = cluster_of[row["paper_id"]]
        terms[cluster].update(naming.terms(row["title"], row["abstract"]))
        if len(titles[cluster]) < _TITLES:
            titles[cluster].append(row["title"])
    return terms, titles
