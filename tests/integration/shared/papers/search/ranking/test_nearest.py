"""The filter contract on papers with a real index: k papers or all that match, and nearly all of the nearest.

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
from shared.papers.search.ranking import nearest, neighbours
from shared.platform.stores.postgres import database, rows
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


async def scans():
    """How often the index of nearest neighbours was asked."""
    async with database() as connection:
        await connection.execute("select pg_stat_clear_snapshot()")
        [row] = await rows(connection, "select idx_scan as n from pg_stat_user_indexes where indexrelname ~ '_hnsw$'")
    return row["n"]


@pytest.mark.parametrize("many", [100_000], indirect=True)
async def test_at_every_selectivity_there_are_k_papers_and_nearly_all_of_the_nearest(many):
    vectors, questions, _ = many
    count = len(vectors)
    for name, one_in, plan in [(None, 1, "index"), *((name, n, None) for name, n in CATEGORIES.items())]:
        matching = np.arange(0, count, one_in)
        recalls = []
        for question in questions:
            hits = await found(question, name and f"category = {name}")
            assert len(hits.hits) == K, name
            assert hits.plan == [plan or ("index" if count / one_in > nearest.FEW else "exact")]
            truth = matching[np.argsort(-(vectors[matching] @ question))[:K]]
            wanted = {paper_id(number) for number in truth}
            recalls.append(len({hit.paper_id for hit in hits.hits} & wanted) / K)
        assert np.mean(recalls) >= (0.95 if count / one_in > nearest.FEW else 1), name


async def test_many_of_few_are_compared_one_by_one(many):
    """The 1,000 nearest of 4,000 papers of 40,000 lie too far off for the index; the 20 nearest do not."""
    vectors, questions, _ = many
    matching = np.arange(0, PAPERS, 10)
    for question in questions[:3]:
        assert (await found(question, "category = tenth")).plan == ["index"]
        hits = await found(question, "category = tenth", limit=1_000)
        assert hits.plan == ["exact"]
        truth = {paper_id(number) for number in matching[np.argsort(-(vectors[matching] @ question))[:1_000]]}
        # Two that are as near as halves can tell may change places at the end.
        assert len(truth & {hit.paper_id for hit in hits.hits}) >= 999


async def test_a_filter_that_lets_less_than_k_through_gives_all_of_them(many):
    _, questions, _ = many
    hits = await found(questions[0], "category = thousandth", limit=100)
    assert len(hits.hits) == PAPERS / 1_000


async def test_few_papers_are_compared_one_by_one_without_the_index(many):
    """A filter that lets 400 through: the server's own count of scans says that the index was not asked."""
    vectors, questions, _ = many
    before = await scans()
    hits = await found(questions[0], "category = hundredth")
    assert hits.plan == ["exact"]
    matching = np.arange(0, PAPERS, 100)
    truth = matching[np.argsort(-(vectors[matching] @ questions[0]))[:K]]
    assert [hit.paper_id for hit in hits.hits] == [paper_id(number) for number in truth]
    assert await scans() == before


async def test_a_filter_that_contradicts_the_question_is_answered_all_the_same(many, monkeypatch):
    """A tenth of the papers match, all far from the question: the index gives up, and each paper is compared."""
    vectors, questions, far = many
    monkeypatch.setattr(neighbours, "MOST_LOOKED_AT", 200)
    monkeypatch.setattr(neighbours, "WIDEST", 100)
    matching = np.flatnonzero(far)
    assert len(matching) > nearest.FEW
    plans = []
    for question in questions:
        hits = await found(question, "category = far")
        plans += hits.plan
        truth = matching[np.argsort(-(vectors[matching] @ question))[:K]]
        assert len(hits.hits) == K
        if hits.plan == ["exact"]:
            assert [hit.paper_id for hit in hits.hits] == [paper_id(number) for number in truth]
    assert "exact" in plans


async def test_where_the_index_is_caught_it_is_asked_again_from_elsewhere(many, monkeypatch):
    """Looking at 40 neighbours the index alone finds 0.62 of the nearest, and none at all for some questions."""
    vectors, _, _ = many
    monkeypatch.setattr(neighbours, "LOOKED_AT", 20)
    monkeypatch.setattr(neighbours, "HELD_AGAINST", 20)
    random = np.random.default_rng(2)
    alone, checked = [], []
    for number in random.integers(0, PAPERS, 40):
        question = vectors[number] + 0.3 * random.standard_normal(DIMENSIONS).astype(np.float32)
        truth = {paper_id(near) for near in np.argsort(-(vectors @ question))[:K]}
        for sampled, recalls in [(0.001, alone), (10_000, checked)]:
            monkeypatch.setattr(neighbours, "SAMPLED", sampled)
            hits = await found(question, None)
            assert hits.plan == ["index"]
            recalls.append(len(truth & {hit.paper_id for hit in hits.hits}) / K)
    assert np.mean(checked) > np.mean(alone) + 0.1
