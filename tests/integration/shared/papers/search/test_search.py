"""Questions that the real records answer, by meaning, words, name, and in order."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrators.papers.embedding import paper_enrich
from shared.papers.embedding import centre, index, swapping, versions
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import EmbedShare
from shared.papers.search import figures
from shared.papers.search import papers as one_paper
from shared.papers.search.exports import arrow
from shared.papers.search.filtering import counting
from shared.papers.search.models import Question
from shared.papers.search.ranking import meaning, nearest, words
from shared.papers.search.search import search as answer
from shared.papers.search.search import with_fields
from shared.platform.durable import Nothing
from shared.platform.errors import InvalidInput, NotFound, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record
from tests.present import present


async def search(question) -> Any:
    """The answer, whose papers have the fields that were asked for."""
    return await answer(question)


def titles(found):
    return [paper["doctrove_title"] for paper in found.results]


async def test_questions_are_answered_by_meaning_and_words(library):
    for written, wanted in [
        ("diphoton production at hadron colliders", "Calculation of prompt diphoton production"),
        ("colouring the edges of sparse graphs with pebbles", "Sparsity-certifying Graph Decompositions"),
        ("continual learning in a shared low-rank subspace without replay", "Shared LoRA Subspaces"),
    ]:
        found = await search(Question(written=written, limit=5))
        assert any(title.startswith(wanted) for title in titles(found)[:2]), (written, titles(found))
        assert found.plan == ["exact", "words"]
        assert (found.total_count, found.total_count_estimated) == (1200, False)


DIPHOTON = "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies"


@pytest.mark.parametrize(
    "written",
    [
        "0704.0001",
        "arXiv:0704.0001v2 [hep-ph]",
        "https://doi.org/10.1103/PhysRevD.76.013009",
        "https://doi.org/10.48550/arXiv.0704.0001",
    ],
)
async def test_a_paper_is_found_by_its_name(library, written):
    found = await search(Question(written=written))
    assert titles(found) == [DIPHOTON]
    assert found.plan == ["identifier"]
    assert titles(await search(Question(written=written, sort="newest"))) == [DIPHOTON]


async def test_a_paper_is_found_by_the_doi_that_arxiv_gives(library):
    assert titles(await search(Question(filters="doi = 10.48550/arXiv.0704.0001"))) == [DIPHOTON]


async def test_a_name_that_no_paper_has_is_said_to_be(library):
    for sort in ("relevance", "newest"):
        found = await search(Question(written="10.1000/unknown", sort=sort))
        assert found.warnings[:1] == [
            "No paper that the filters let through has the DOI 10.1000/unknown: it was searched as words."
        ]


@pytest.mark.parametrize("written", ["Balazs", "balázs", "BALÁZS, C."])
async def test_authors_are_found_with_and_without_accents(library, written):
    found = await search(Question(filters=f'author = "{written}"'))
    assert titles(found)[0].startswith("Calculation of prompt diphoton")


async def test_filters_hold_whatever_the_question(library):
    found = await search(Question(written="neural networks", filters="source = arxiv and year = 2007", limit=50))
    assert len(found.results) == 50
    assert {(paper["doctrove_source"], paper["doctrove_primary_date"][:4]) for paper in found.results} == {
        ("arxiv", "2007")
    }


@pytest.mark.parametrize(
    "filters", [None, "category = cs.LG", "category in (math.CO, hep-ph)", "doi = 10.1103/PhysRevD.76.013009"]
)
@pytest.mark.parametrize("limit", [7, 1000])
async def test_an_answer_by_meaning_is_never_short(library, monkeypatch, filters, limit):
    """Through the index or one by one: k papers or all that match. The index is made to be asked always, and badly."""
    monkeypatch.setattr(index, "WORTHWHILE", 10)
    await index.build(present(await versions.current()))
    monkeypatch.setattr(nearest, "FEW", 0)
    found = await search(Question(written="a question about quarks", filters=filters, limit=limit))
    assert len(found.results) == min(limit, found.total_count)
    exact = await one_by_one("a question about quarks", filters, limit, monkeypatch)
    common = {one["doctrove_paper_id"] for one in found.results} & exact
    assert len(common) >= 0.95 * len(exact)


async def one_by_one(written, filters, limit, monkeypatch):
    monkeypatch.setattr(nearest, "FEW", 10**9)
    found = await search(Question(written=written, filters=filters, limit=limit))
    assert "index" not in found.plan
    return {one["doctrove_paper_id"] for one in found.results}


async def test_what_lies_far_from_the_question_is_found_all_the_same(library, monkeypatch):
    """A filter that contradicts the question: the index gives up, and each paper is compared."""
    monkeypatch.setattr(index, "WORTHWHILE", 10)
    await index.build(present(await versions.current()))
    monkeypatch.setattr(nearest, "FEW", 0)
    asked = []
    by_index = nearest.by_index

    async def giving_up(*arguments):
        asked.append(await by_index(*arguments))
        return asked[-1][:3]

    monkeypatch.setattr(nearest, "by_index", giving_up)
    found = await search(Question(written="deep reinforcement learning", filters="category = hep-ph", limit=10))
    assert asked
    assert found.plan[0] == "exact"
    assert len(found.results) == 10


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


class AbsentModel:
    """A model that does not answer."""

    def __init__(self, error):
        self.error, self.calls = error, 0

    async def embed(self, texts):
        self.calls += 1
        if self.error is None:
            await asyncio.sleep(60)
            raise AssertionError("It was waited for.")
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TransientError("busy", code="embedder-busy"), "The model gave no vector for the question (embedder-busy)"),
        (NotFound("404", code="embedder-knows-no-such"), "(embedder-knows-no-such)"),
        (InvalidInput("refused", code="embedder-refuses"), "(embedder-refuses)"),
        (None, "The model did not answer within 0.5 s"),
    ],
)
async def test_without_the_model_papers_are_found_by_their_words_and_names(library, monkeypatch, error, reason):
    absent = AbsentModel(error)
    monkeypatch.setattr(meaning, "embedder", lambda _: absent)
    monkeypatch.setenv("PAPERS_QUERY_SECONDS", "0.5")
    forget_settings()
    found = await search(Question(written="diphoton production", limit=5))
    assert titles(found)[0] == DIPHOTON
    assert found.plan == ["words"]
    [warning] = found.warnings
    assert reason in warning
    assert warning.endswith(": only words were searched.")
    assert absent.calls == 1
    assert (await search(Question(written="0704.0001"))).plan == ["identifier"]
    assert absent.calls == 1, "a name is not embedded"


async def test_a_list_that_holds_no_paper_of_the_words_says_so(library):
    for written in ("the", "xyzzy"):
        found = await search(Question(written=written, sort="newest"))
        assert (found.results, len(found.warnings)) == ([], 1)


async def test_what_only_an_order_by_relevance_has_is_refused_of_lists(library):
    for question in [
        Question(written="learning", threshold=0.5, sort="newest"),
        Question(threshold=0.5),
        with_fields(Question(), ("doctrove_title", "similarity")),
        Question(written="learning", after="[null, null, false]"),
    ]:
        with pytest.raises(InvalidInput) as refused:
            await search(question)
        assert refused.value.field in ("similarity_threshold", "fields", "cursor")


async def test_a_common_word_is_ranked_within_bounds_and_told(library, monkeypatch):
    monkeypatch.setattr(words, "RANKED", 50)
    found = await search(Question(written="model", limit=10))
    assert len(found.results) == 10
    assert found.warnings == ["More than 50 papers hold these words; by their words 50 of them were ranked."]


@pytest.mark.parametrize("sort", ["newest", "oldest"])
async def test_pages_have_every_paper_once_while_others_come_in(library, sort):
    seen, after, number = [], None, 0
    everything = {row["id"] for row in await fetch("select paper_id::text as id from papers.papers")}
    while True:
        page = await search(Question(limit=97, sort=sort, after=after))
        seen += [one["doctrove_paper_id"] for one in page.results]
        after = page.next
        if after is None:
            break
        number += 1
        await library.ingest(await library.put(f"more-{number}.jsonl", [record(number)]))
    assert len(seen) == len(set(seen))
    assert everything <= set(seen)


async def test_before_anything_has_a_vector_words_are_searched_and_it_is_told(papers):
    await papers.ingest(await papers.put("a.jsonl", [record(1, title="Quarks")]))
    found = await search(Question(written="quarks"))
    assert titles(found) == ["Quarks"]
    assert found.warnings == ["No paper has a vector yet: only words were searched."]


async def test_a_paper_shows_the_same_work_in_other_sources(papers):
    await papers.ingest(await papers.put("a.jsonl", [record(1, doi="10.1000/x"), record(2)]))
    works = [
        {"id": "https://openalex.org/W1", "title": "One", "doi": "https://doi.org/10.1000/X", "publication_year": 2021},
        {
            "id": "https://openalex.org/W2",
            "title": "Two",
            "primary_location": {"landing_page_url": "https://arxiv.org/abs/2101.00002v1"},
        },
    ]
    await papers.ingest(await papers.put("b.jsonl", works), "openalex")
    for number, work in ((1, "W1"), (2, "W2")):
        [paper] = (await search(Question(filters=f"source = arxiv and arxiv_id = 2101.{number:05}"))).results
        detail = await one_paper.read(UUID(paper["doctrove_paper_id"]))
        assert [same.doctrove_source_id for same in detail.same_work] == [work]
    with pytest.raises(NotFound):
        await one_paper.read(UUID(int=5))
    by_source = {one.source: one.papers for one in await figures.by_source()}
    assert by_source == {"arxiv": 2, "openalex": 2}


async def test_only_the_fields_that_were_asked_for_are_given(library):
    question = with_fields(Question(limit=2), ("doctrove_title", "doi"))
    assert all(set(one) == {"doctrove_title", "doi"} for one in (await search(question)).results)
    assert json.dumps((await search(question)).model_dump())
    with pytest.raises(InvalidInput, match="no field 'password'"):
        with_fields(question, ("password",))


@pytest.mark.parametrize("after", ["x", "null", "[1,2]", '[null, "x"]', "[" * 4_500, "9", '["2026-01-01"]', "[5, 6]"])
async def test_a_changed_cursor_is_refused(papers, after):
    with pytest.raises(InvalidInput, match="cursor"):
        await search(Question(after=after))


async def test_a_question_that_takes_too_long_ends(library, monkeypatch):
    monkeypatch.setenv("PAPERS_QUERY_SECONDS", "0.001")
    forget_settings()
    with pytest.raises(TransientError, match=r"took longer than 0\.001 s"):
        await search(Question(written="model", limit=1000))


async def test_too_many_by_relevance_are_refused(library):
    with pytest.raises(InvalidInput, match="At most 1,000"):
        await search(Question(written="x", limit=1001))
    assert len((await search(Question(limit=50_000))).results) == 1200


async def test_what_is_let_through_is_counted_up_to_a_limit_and_estimated_beyond(library, monkeypatch):
    """The count is that of the filters, whatever the threshold leaves out."""
    await fetch("select papers.refresh_statistics()")
    found = await search(Question(written="model", threshold=0.99, limit=5))
    assert (found.total_count, found.total_count_estimated) == (1200, False)
    monkeypatch.setattr(counting, "COUNTED", 300)
    found = await search(Question(written="model", limit=5))
    assert (found.total_count, found.total_count_estimated) == (1200, True)
    found = await search(Question(written="model", filters="source = arxiv", limit=5))
    assert (found.total_count, found.total_count_estimated) == (200, False)


async def test_while_another_model_is_built_one_version_is_searched_by_its_own_vectors(library, monkeypatch):
    """At 60 % of the new vectors, behind the swap, and rolled back: the question is embedded by what is searched."""
    written = "diphoton production at hadron colliders"
    before = titles(await search(Question(written=written, limit=5)))
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    forget_settings()
    [building] = [one for one in await versions.ensure() if one.state == "building"]
    await centre.settle(building)
    await fetch(
        "update papers.unembedded set claimed_until = now() + interval '1 hour' where model_id = %s and paper_id in"
        " (select paper_id from papers.unembedded order by paper_id limit 480) returning 1",
        building.model_id,
    )
    await embed_box(EmbedShare(model_id=building.model_id, embedder="hashing"))
    [row] = await fetch(f"select count(*)::int as n from papers.vectors_{building.model_id}")
    assert row["n"] == 720
    assert titles(await search(Question(written=written, limit=5))) == before
    assert not (await swapping.swap(building.model_id, 1.0)).swapped
    await fetch("update papers.unembedded set claimed_until = null returning 1")
    await Player().play(paper_enrich, Nothing())
    assert present(await versions.current()).name == "hashing"
    after = await search(Question(written=written, limit=5))
    assert titles(after)[0].startswith("Calculation of prompt diphoton")
    assert titles(after) != before
    await swapping.roll_back()
    assert titles(await search(Question(written=written, limit=5))) == before


async def test_50_000_papers_come_in_one_stream_of_arrow_and_the_others_behind_it(papers):
    await fetch(
        "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
        " select 'arxiv', n::text, 'Paper ' || n, date '2000-01-01' + mod(n, 9000), ''"
        " from generate_series(1, 50010) n returning 1"
    )
    question = with_fields(Question(limit=50_000, sort="newest"), ("doctrove_source_id", "doctrove_title"))
    found = await search(question)
    stream = pa.ipc.open_stream(arrow(found.results, question.answered))
    table = pa.Table.from_batches(batches := list(stream))
    assert [batch.num_rows for batch in batches] == [5_000] * 10
    first = set(table["doctrove_source_id"].to_pylist())
    assert (table.num_rows, len(first)) == (50_000, 50_000)
    rest = await search(replace(question, after=found.next))
    assert {one["doctrove_source_id"] for one in rest.results} == {str(n) for n in range(1, 50_011)} - first
    assert rest.next is None
