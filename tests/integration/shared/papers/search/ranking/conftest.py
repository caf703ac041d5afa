"""Papers with vectors and a real index, and what is nearest to a question among them.

The vectors lie in 200 clusters; half of the papers, one in ten, in a hundred and in a thousand are in categories of
those names, and those of the category `far` are in clusters that lie far from the questions.
"""

from uuid import UUID

import numpy as np
import pytest
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async

from shared.papers.embedding import index, versions
from shared.papers.search.filtering.conditions import condition_of
from shared.papers.search.filtering.filters import parse
from shared.papers.search.ranking import nearest
from shared.platform.stores.postgres import database
from tests.integration.shared.papers.conftest import fetch
from tests.present import present

PAPERS, DIMENSIONS, K = 40_000, 64, 20
CATEGORIES = {"half": 2, "tenth": 10, "hundredth": 100, "thousandth": 1_000}


@pytest.fixture
async def many(papers, monkeypatch, request):
    """The vectors as an array, row n being that of the paper numbered n, and the questions."""
    count = getattr(request, "param", PAPERS)
    random = np.random.default_rng(1)
    centres = random.standard_normal((200, DIMENSIONS))
    clusters = random.integers(0, 200, count)
    vectors = centres[clusters] + 0.5 * random.standard_normal((count, DIMENSIONS))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    questions = vectors[:12] + 0.1 * random.standard_normal((12, DIMENSIONS)).astype(np.float32)
    near_any = (centres / np.linalg.norm(centres, axis=1, keepdims=True)) @ questions.T
    far = np.isin(clusters, np.argsort(near_any.max(axis=1))[:20])
    await fetch(
        "insert into papers.papers (paper_id, source, source_id, title, categories, content_hash)"
        " select ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'x', n::text, 'Paper ' || n,"
        " array_remove(array[case when n %% 2 = 0 then 'half' end, case when n %% 10 = 0 then 'tenth' end,"
        " case when n %% 100 = 0 then 'hundredth' end, case when n %% 1000 = 0 then 'thousandth' end,"
        " case when (%s::boolean[])[n + 1] then 'far' end], null), '\\x00'"
        " from generate_series(0, %s - 1) n returning 1",
        far.tolist(),
        count,
    )
    await fetch(
        "insert into papers.models (name, version, dimensions, state, current_since)"
        " values ('hashing', 'v', %s, 'current', now()) returning 1",
        DIMENSIONS,
    )
    [model] = await fetch("select model_id, papers.make_vectors(model_id) from papers.models")
    async with database() as connection:
        await register_vector_async(connection)
        async with connection.cursor().copy(
            f"copy papers.vectors_{model['model_id']} (paper_id, cut, embedding) from stdin (format binary)".encode()
        ) as copy:
            copy.set_types(["uuid", "bool", "halfvec"])
            for number, vector in enumerate(vectors):
                await copy.write_row((paper_id(number), False, HalfVector(vector)))
        await connection.execute("select papers.refresh_statistics()")
    assert (await index.build(present(await versions.current()))).indexed
    monkeypatch.setattr(nearest, "FEW", count // 40)
    return vectors.astype(np.float16).astype(np.float32), questions, far


def paper_id(number):
    return UUID(int=int(number))


async def found(vector, written, limit=K):
    version = present(await versions.current())
    condition = condition_of(parse(written) if written else None)
    async with database() as connection:
        return await nearest.nearest(connection, version, str(vector.tolist()), condition, limit)
