"""The index of nearest neighbours, which is asked again where it was caught."""

import numpy as np

from shared.papers.search.ranking import nearest, neighbours
from tests.integration.shared.papers.search.ranking.conftest import DIMENSIONS, PAPERS, K, found, paper_id


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
