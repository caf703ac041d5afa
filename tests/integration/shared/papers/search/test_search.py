"""Questions that the real records answer, by meaning, words, name, and in order."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from shared.papers.embedding import index, versions
from shared.papers.search.exports import arrow
from shared.papers.search.filtering import counting
from shared.papers.search.models import Question
from shared.papers.search.ranking import nearest, words
from shared.papers.search.search import with_fields
from shared.platform.errors import InvalidInput, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.search.conftest import search, titles
from tests.present import present


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
