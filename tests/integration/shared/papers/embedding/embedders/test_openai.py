"""Embeddings of OpenAI within its limits: batches cut, texts shortened, waits kept, and a refusal concerns one text."""

import numpy as np
import pytest
from starlette.applications import Starlette

from local.arm.servers import listening
from local.providers.embeddings import KEY, Embeddings
from shared.papers.embedding import versions
from shared.papers.embedding.embedders import embedder
from shared.platform.errors import InvalidInput, TerminalError, TransientError
from shared.platform.settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich


@pytest.fixture
async def service(papers, monkeypatch):
    found = Embeddings()
    async with listening(Starlette(routes=found.routes())) as port:
        monkeypatch.setenv("PAPERS_EMBEDDER", "openai")
        monkeypatch.setenv("PAPERS_OPENAI_ENDPOINT", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("PAPERS_OPENAI_KEY", KEY)
        monkeypatch.setenv("PAPERS_OPENAI_DIMENSIONS", "64")
        forget_settings()
        yield found


async def test_vectors_have_length_one_and_their_cost_is_kept(papers, service):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(30)]))
    assert (await enrich()).embedded == 30
    [version] = await versions.every()
    assert (version.version, version.dimensions, version.texts) == ("text-embedding-3-small-64", 64, 30)
    assert version.dollars == pytest.approx(version.tokens * 0.02 / 1e6)
    found = await embedder("openai").embed(["quarks and gluons", "quarks"])
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)


async def test_one_text_of_20_000_tokens_among_199_is_cut_and_all_land(papers, service):
    records = [record(n, abstract="word " * 2_000) for n in range(199)]
    records.append(record(200, abstract="w0rd " * 9_990))
    await papers.ingest(await papers.put("a.jsonl", records))
    summary = await enrich()
    assert (summary.embedded, summary.failed) == (200, 0)
    [version] = await versions.every()
    assert version.cut == 1
    assert len(service.asked) > 1


async def test_a_text_that_is_refused_is_named_and_its_neighbours_land(papers, service):
    service.refused = "unspeakable"
    records = [record(n) for n in range(20)] + [record(99, title="The unspeakable")]
    await papers.ingest(await papers.put("a.jsonl", records))
    summary = await enrich()
    assert (summary.embedded, summary.failed) == (20, 1)
    [failed] = await fetch("select p.source_id, u.error from papers.unembedded u join papers.papers p using (paper_id)")
    assert failed["source_id"] == "2101.00099"
    assert "The input was filtered" in failed["error"]


async def test_a_wait_that_the_service_asks_for_is_told(papers, service):
    service.busy, service.seconds = 1, 7.5
    with pytest.raises(TransientError) as busy:
        await embedder("openai").embed(["a"])
    assert busy.value.retry_after == 7.5
    assert service.asked == []  # the SDK itself has not tried again
    assert (await embedder("openai").embed(["a"])).tokens == 1


async def test_a_wait_until_a_moment_is_told_in_seconds(papers, service):
    service.busy, service.seconds, service.dated = 1, 40, True
    with pytest.raises(TransientError) as busy:
        await embedder("openai").embed(["a"])
    assert busy.value.retry_after == pytest.approx(40, abs=2)


async def test_a_busy_service_is_waited_for(papers, service):
    service.busy, service.seconds = 2, 0.05
    await papers.ingest(await papers.put("a.jsonl", [record(1)]))
    assert (await enrich()).embedded == 1


async def test_a_wrong_key_is_not_tried_again(papers, service, monkeypatch):
    monkeypatch.setenv("PAPERS_OPENAI_KEY", "wrong")
    forget_settings()
    with pytest.raises(TerminalError, match="401") as refused:
        await embedder("openai").embed(["a"])
    assert not isinstance(refused.value, InvalidInput)
