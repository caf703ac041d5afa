"""How much two versions of a model agree: what they call nearest, on a sample of papers."""

from __future__ import annotations

from typing import Any

from shared.papers.embedding.centre import centre_of
from shared.papers.embedding.models import ModelVersion
from shared.platform.stores.postgres import database, rows

SAMPLE = 500
NEAREST = 10


async def overlap(version: ModelVersion, other: ModelVersion) -> float | None:
    """The mean share of the 10 nearest papers of a sample that both versions name, from 0 to 1.

    None: fewer than two papers have a vector of both.
    """
    first, second = await _sample(version, other)
    if len(first) <= 1:
        return None
    return common_neighbours(first, second, min(NEAREST, len(first) - 1))


def common_neighbours(first: Any, second: Any, nearest: int) -> float:
    """The mean share of `nearest` neighbours that rows have in common in two arrays of vectors of length 1."""
    shares = [
        len(set(a) & set(b)) / nearest for a, b in zip(_nearest(first, nearest), _nearest(second, nearest), strict=True)
    ]
    return sum(shares) / len(shares)


def _nearest(vectors: Any, count: int) -> list[list[int]]:
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    near = vectors @ vectors.T
    np.fill_diagonal(near, -np.inf)
    return np.argpartition(-near, count - 1, axis=1)[:, :count].tolist()


async def _sample(version: ModelVersion, other: ModelVersion) -> tuple[Any, Any]:
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - as above

    async with database() as connection:
        await register_vector_async(connection)
        papers = await rows(
            connection,
            # The ids are in the order of time; their hashes are in none.
            f"select a.embedding as a, b.embedding as b from papers.vectors_{version.model_id:d} a"  # noqa: S608 - numbers
            f" join papers.vectors_{other.model_id:d} b using (paper_id) order by hashtext(paper_id::text) limit %s",
            (SAMPLE,),
        )
    if not papers:
        return [], []
    first = np.array([row["a"].to_numpy() for row in papers], np.float32) + await centre_of(version.model_id)
    return first, np.array([row["b"].to_numpy() for row in papers], np.float32) + await centre_of(other.model_id)
