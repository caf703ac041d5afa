"""The filter contract on papers with a real index: k papers or all that match, and nearly all of the nearest."""

import numpy as np
import pytest

from shared.papers.search.ranking import nearest
from shared.platform.stores.postgres import database, rows
from tests.integration.shared.papers.search.ranking.conftest import CATEGORIES, PAPERS, K, found, paper_id


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
