"""Embeddings of OpenAI within its limits: batches cut, texts shortened, waits kept, and a refusal concerns one text."""

import math

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from local.arm.servers import listening
from local.providers import embeddings
from shared.papers.embedding import centre, refusals, swapping, versions
from shared.papers.embedding.embedders import embedder
from shared.papers.embedding.embedders.openai import OpenAiEmbedder
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import EmbedShare, ModelVersion
from shared.papers.search.models import Question
from shared.papers.search.search import search
from shared.platform.errors import InvalidInput, TerminalError, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich
from tests.present import present

SMALL = ModelVersion(model_id=1, name="openai", version="text-embedding-3-small-64", dimensions=64, state="current")


async def test_vectors_have_length_one_and_their_cost_is_kept(papers, service):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(30)]))
    assert (await enrich()).embedded == 30
    [version] = await versions.every()
    assert (version.version, version.dimensions, version.texts) == ("text-embedding-3-small-64", 64, 30)
    assert version.dollars == pytest.approx(version.tokens * 0.02 / 1e6)
    found = await embedder(SMALL).embed(["quarks and gluons", "quarks"])
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)


async def test_one_text_of_20_000_tokens_among_199_is_cut_and_all_land(papers, service):
    records = [record(n, abstract="word " * 2_000) for n in range(199)]
    records.append(record(200, abstract="a " * 20_000))
    await papers.ingest(await papers.put("a.jsonl", records))
    summary = await enrich()
    assert (summary.embedded, summary.failed) == (200, 0)
    [version] = await versions.every()
    assert version.cut == 1
    cut = await fetch(
        f"select source_id from papers.vectors_{version.model_id} join papers.papers using (paper_id) where cut"
    )
    assert cut == [{"source_id": "2101.00200"}]
    assert len(service.asked) > 1


async def test_a_text_that_is_refused_is_named_and_its_neighbours_land(papers, service):
    service.refused = "unspeakable"
    records = [record(n) for n in range(20)] + [record(99, title="The unspeakable")]
    await papers.ingest(await papers.put("a.jsonl", records))
    summary = await enrich()
    assert (summary.embedded, summary.failed) == (20, 0)
    [version] = await versions.every()
    assert (version.waiting, version.refused, version.failed) == (1, 1, 0)
    [refused] = await refusals.of_model(version.model_id, 10, None)
    assert (refused.source_id, refused.refusals, refused.failed) == ("2101.00099", 1, False)
    assert "The input was filtered" in refused.reason


@pytest.mark.parametrize(
    ("numbers", "by_batch"),
    [([None, *[0.1] * 63], False), ([1e300] * 64, False), ([0.0] * 64, False), ([math.nan] * 64, True)],
    ids=["null", "too large", "zeros", "in a batch"],
)
async def test_what_is_no_vector_is_refused_for_its_text_and_its_neighbours_land(
    papers, service, monkeypatch, numbers, by_batch
):
    real = embeddings._vector
    monkeypatch.setattr(
        embeddings, "_vector", lambda text, *others: numbers if "broken" in text else real(text, *others)
    )
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(12)]))
    await enrich()
    if by_batch:
        monkeypatch.setenv("PAPERS_OPENAI_BATCH_FROM", "3")
        forget_settings()
    records = [record(99, title="A broken one")] + [record(n) for n in range(20, 28)]
    await papers.ingest(await papers.put("b.jsonl", records))
    for _ in range(2):
        await enrich()
    [version] = await versions.every()
    assert (version.texts, version.waiting, version.refused, version.problem) == (20, 1, 1, None)
    [refused] = await refusals.of_model(version.model_id, 10, None)
    assert refused.source_id == "2101.00099"
    assert "vector" in refused.reason


async def test_a_service_that_does_not_count_tokens_is_counted_by_us(papers, service, monkeypatch):
    answered = service._answered

    def without_usage(asked):
        status, body = answered(asked)
        return status, {name: value for name, value in body.items() if name != "usage"}

    monkeypatch.setattr(service, "_answered", without_usage)
    assert (await embedder(SMALL).embed(["quarks and gluons"])).tokens > 0


async def test_what_nobody_expected_gives_the_claims_back_and_is_noted(some, service, monkeypatch):
    async def broken(self, texts):
        raise AttributeError("usage")

    [version] = await versions.ensure()
    await centre.settle(version)
    monkeypatch.setattr(OpenAiEmbedder, "embed", broken)
    with pytest.raises(AttributeError):
        await embed_box(EmbedShare(model_id=version.model_id, embedder="openai"))
    [waiting] = await fetch(
        "select count(*)::int as n, max(attempts) as most, max(claim::text) as claim from papers.unembedded"
    )
    assert waiting == {"n": 35, "most": 1, "claim": None}  # it counts: one that comes back each time has an end
    assert "AttributeError" in present((await versions.every())[0].problem)


async def test_a_wait_that_the_service_asks_for_is_told(papers, service):
    service.busy, service.seconds = 1, 7.5
    with pytest.raises(TransientError) as busy:
        await embedder(SMALL).embed(["a"])
    assert busy.value.retry_after == 7.5
    assert service.asked == []  # the SDK itself has not tried again
    assert (await embedder(SMALL).embed(["a"])).tokens == 1


async def test_a_wait_until_a_moment_is_told_in_seconds(papers, service):
    service.busy, service.seconds, service.dated = 1, 40, True
    with pytest.raises(TransientError) as busy:
        await embedder(SMALL).embed(["a"])
    assert busy.value.retry_after == pytest.approx(40, abs=2)


async def test_a_busy_service_is_waited_for(papers, service):
    service.busy, service.seconds = 2, 0.05
    await papers.ingest(await papers.put("a.jsonl", [record(1)]))
    assert (await enrich()).embedded == 1


async def test_a_wrong_key_is_not_tried_again(papers, service, monkeypatch):
    monkeypatch.setenv("PAPERS_OPENAI_KEY", "wrong")
    forget_settings()
    with pytest.raises(TerminalError, match="401") as refused:
        await embedder(SMALL).embed(["a"])
    assert not isinstance(refused.value, InvalidInput)


@pytest.fixture
async def changed(papers, service, monkeypatch):
    """Thirty papers embedded by one model, and another one that is configured since, with vectors of its own."""
    service.own_space = True
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "first")
    forget_settings()
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(30)]))
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "second")
    monkeypatch.setenv("PAPERS_OPENAI_DIMENSIONS", "32")
    monkeypatch.setenv("PAPERS_OPENAI_DOLLARS_PER_MILLION", "0.2")
    forget_settings()
    return papers


async def asked_for(service, title):
    """Which model is asked for the vector of a search, and how like its first paper is."""
    service.models.clear()
    found = await search(Question(written=title, fields=("similarity",)))
    [asked] = service.models
    return asked, found.results[0].get("similarity")


async def test_a_question_is_asked_by_the_model_of_the_version_that_is_searched(changed, service):
    title = "Title: Paper 7 Abstract: What paper 7 says."
    assert await asked_for(service, title) == (("first", 64), pytest.approx(1, abs=0.01))
    for version in await versions.ensure():
        await centre.settle(version)
    assert await asked_for(service, title) == (("first", 64), pytest.approx(1, abs=0.01))
    assert (await enrich()).swapped
    assert await asked_for(service, title) == (("second", 32), pytest.approx(1, abs=0.01))
    await swapping.roll_back()
    assert await asked_for(service, title) == (("first", 64), pytest.approx(1, abs=0.01))


async def test_a_paper_that_comes_while_another_model_is_built_gets_a_vector_of_each(changed, service):
    built = await versions.ensure()
    for version in built:
        await centre.settle(version)
    await changed.ingest(await changed.put("b.jsonl", [record(90)]))
    for version in built:
        service.models.clear()
        await embed_box(EmbedShare(model_id=version.model_id, embedder=version.name))
        assert set(service.models) == {(version.version.split("-")[0], version.dimensions)}
        [row] = await fetch(f"select count(*)::int as n from papers.vectors_{version.model_id}")
        assert row["n"] == 31


async def test_each_model_has_its_own_price(changed, service):
    await enrich()
    second, first = await versions.every()
    assert present(second.dollars) == pytest.approx(second.tokens * 0.2 / 1e6)
    await swapping.roll_back()
    await changed.ingest(await changed.put("b.jsonl", [record(90)]))
    await enrich()
    [first] = [one for one in await versions.every() if one.state == "current"]
    assert (first.version, first.texts) == ("first-64", 31)
    assert first.dollars == pytest.approx(first.tokens * 0.02 / 1e6)


async def test_an_answer_of_other_dimensions_or_of_another_kind_is_about_us(papers, service, monkeypatch):
    service.dimensions = 32
    with pytest.raises(TerminalError, match="a vector of 64 numbers for each text"):
        await embedder(SMALL).embed(["a"])

    async def page(_):
        return HTMLResponse("<p>Welcome</p>")

    async with listening(Starlette(routes=[Route("/{path:path}", page, methods=["POST"])])) as port:
        monkeypatch.setenv("PAPERS_OPENAI_ENDPOINT", f"http://127.0.0.1:{port}/v1")
        forget_settings()
        with pytest.raises(TerminalError, match="did not answer with a vector"):
            await embedder(SMALL).embed(["a"])
