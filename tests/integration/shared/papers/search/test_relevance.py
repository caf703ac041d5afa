"""The most relevant papers: near to a paper, above a threshold, with and without a vector."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.papers.search.models import Question
from tests.integration.shared.papers.conftest import record
from tests.integration.shared.papers.search.conftest import search


async def test_similar_papers_are_others(library):
    [paper] = (await search(Question(written="0704.0001"))).results
    found = await search(Question(similar_to=UUID(paper["doctrove_paper_id"]), limit=5))
    assert len(found.results) == 5
    assert paper["doctrove_paper_id"] not in [one["doctrove_paper_id"] for one in found.results]
    assert all(one["similarity"] > 0.3 for one in found.results)


async def test_the_threshold_leaves_out_what_is_far(library):
    nearest_of_all = await search(Question(written="dark matter halos", limit=100))
    middle = sorted(one["similarity"] for one in nearest_of_all.results)[50]
    near = await search(Question(written="dark matter halos", threshold=middle, limit=100))
    assert 0 < len(near.results) < 100
    assert all(one["similarity"] >= middle for one in near.results)
    assert near.total_count == 1200


@pytest.mark.parametrize("limit", [10, 20, 50, 200])
@pytest.mark.parametrize("threshold", [0.3, 0.35])
async def test_an_answer_with_a_threshold_is_never_short(library, threshold, limit):
    written = "learning representation"
    everything = await search(Question(written=written, limit=1_000))
    near = {one["doctrove_paper_id"] for one in everything.results if one["similarity"] >= threshold}
    assert len(near) > 50
    found = await search(Question(written=written, threshold=threshold, limit=limit))
    assert len(found.results) == min(limit, len(near))
    assert {one["doctrove_paper_id"] for one in found.results} <= near


FILTERS = [
    None,
    "category = cs.LG",
    "not year = 2007",
    "author = lee or category in (math.CO, hep-ph)",
    "source = arxiv and has_abstract = true",
    "author = 'nobody at all'",
]


@given(
    written=st.sampled_from(["quarks", "learning representation", "the", "graphs with pebbles -sparse", "10.1/x"]),
    filters=st.sampled_from(FILTERS),
    limit=st.sampled_from([1, 7, 60, 1_000]),
    threshold=st.one_of(st.none(), st.sampled_from([-1, 0, 0.2, 0.4, 0.99])),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_an_answer_is_as_long_as_it_can_be(library, written, filters, limit, threshold):
    """By its definition: of the papers that match and are near enough, the limit or all."""
    everything = await search(Question(written=written, filters=filters, limit=1_000))
    least = -1 if threshold is None else threshold
    matching = [one for one in everything.results if one["similarity"] >= least]
    found = await search(Question(written=written, filters=filters, limit=limit, threshold=threshold))
    assert found.total_count == everything.total_count
    assert len(found.results) == min(limit, len(matching))
    assert len({one["doctrove_paper_id"] for one in found.results}) == len(found.results)
    assert all(one["similarity"] >= least for one in found.results)
    assert len(everything.results) == min(1_000, everything.total_count)


async def test_papers_without_a_vector_are_not_passed_over(library):
    """Those that came since, of which the question holds no word: behind the others, and said."""
    await library.ingest(await library.put("new.jsonl", [record(number, categories="new") for number in range(3)]))
    filters = "category in (new, math.GT)"
    matching = (await search(Question(filters=filters))).total_count
    found = await search(Question(written="knots", filters=filters))
    assert len(found.results) == matching > 3
    assert {one["doctrove_title"] for one in found.results[-3:]} == {"Paper 0", "Paper 1", "Paper 2"}
    assert found.warnings == ["Some papers that match have no vector: they stand last."]
    found = await search(Question(written="knots", filters=filters, threshold=-1))
    assert len(found.results) == matching - 3
    assert found.warnings == ["Some papers that match have no vector: they were not compared."]
    paper = found.results[0]["doctrove_paper_id"]
    similar = await search(Question(similar_to=UUID(paper), filters=filters))
    assert (len(similar.results), similar.warnings) == (matching - 4, found.warnings)
    found = await search(Question(written="knots", filters=filters, limit=2))
    assert (len(found.results), found.warnings) == (2, ["Some papers have no vector yet: they were not compared."])
    found = await search(Question(similar_to=UUID(paper), limit=2))
    assert (len(found.results), found.warnings) == (2, ["Some papers have no vector yet: they were not compared."])
