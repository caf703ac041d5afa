"""Every paper gets one vector of the version that is searched, whatever fails on the way."""

import asyncio

from shared.papers.embedding import centre, embedding, versions
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import EmbedShare
from shared.papers.embedding.refusals import MOST_ATTEMPTS, PAUSES_MINUTES
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich, pauses_end


async def share():
    [version] = await versions.ensure()
    await centre.settle(version)
    return EmbedShare(model_id=version.model_id, embedder="hashing")


async def vectors(model_id):
    return [row["paper_id"] for row in await fetch(f"select paper_id from papers.vectors_{model_id} order by 1")]


async def everybody():
    return [row["paper_id"] for row in await fetch("select paper_id from papers.papers order by 1")]


async def test_all_papers_get_a_vector_and_the_usage_is_told(some, model):
    summary = await enrich()
    assert (summary.embedded, summary.failed) == (35, 0)
    [version] = await versions.every()
    assert (version.state, version.waiting, version.texts) == ("current", 0, 35)
    assert version.dollars == version.tokens / 1e6
    assert await vectors(version.model_id) == await everybody()
    assert (await enrich()).embedded == 0
    assert not await versions.anything_to_do()


async def test_a_paper_whose_words_change_gets_another_vector_and_others_keep_theirs(some, model):
    await enrich()
    model.calls.clear()
    await some.ingest(
        await some.put(
            "b.jsonl",
            [
                record(3, title="Another", update_date="2024-01-01"),
                record(4, doi="10.1000/x", update_date="2024-01-01"),
                record(90),
            ],
        )
    )
    assert await versions.anything_to_do()
    assert (await enrich()).embedded == 2
    texts = [text for call in model.calls for text in call]
    assert sorted(texts) == [
        "Title: Another Abstract: What paper 3 says.",
        "Title: Paper 90 Abstract: What paper 90 says.",
    ]


async def test_a_text_that_the_model_refuses_fails_alone(some, model):
    bad = record(50, title="The unspeakable")
    await some.ingest(await some.put("b.jsonl", [bad, record(51, abstract="word " * 3_000)]))
    assert (await enrich()).embedded == 36
    await fails(1)
    [failed] = await fetch("select error from papers.unembedded")
    assert failed["error"] == "this cannot be said (invalid-input)"
    await some.ingest(await some.put("c.jsonl", [record(50, title="Said otherwise", update_date="2025-01-01")]))
    assert (await enrich()).embedded == 1


async def fails(count):
    """Ask again as often as a refused text is asked, until it is given up."""
    for _ in PAUSES_MINUTES[1:]:
        assert not await versions.anything_to_do()
        await pauses_end()
        assert await versions.anything_to_do()
        assert (await enrich()).failed == 0
    await pauses_end()
    assert (await enrich()).failed == count
    assert not await versions.anything_to_do()
    await pauses_end()
    assert not await versions.anything_to_do()


async def test_a_model_that_is_busy_loses_nothing(some, model):
    model.failures = 3
    assert (await enrich()).embedded <= 35
    await fetch("update papers.unembedded set claimed_until = now() - interval '1 minute' returning 1")
    await enrich()
    [version] = await versions.every()
    assert await vectors(version.model_id) == await everybody()


async def test_workers_at_once_embed_each_paper_once(some, model):
    work = await share()
    await asyncio.gather(*(embed_box(work) for _ in range(5)))
    texts = [text for call in model.calls for text in call]
    assert len(texts) == len(set(texts)) == 35


async def test_a_worker_that_comes_late_stores_nothing(some, model, monkeypatch):
    """Its claim ended, the text changed, and another worker has embedded it."""
    work = await share()
    stored = embedding.store

    async def late(model_id, claim, price, batch, found):
        await fetch("update papers.unembedded set claimed_until = now() - interval '1 minute' returning 1")
        monkeypatch.setattr(embedding, "store", stored)
        await embed_box(work)
        assert await stored(model_id, claim, price, batch, found) == 0
        return 0

    monkeypatch.setattr(embedding, "store", late)
    await embed_box(work)
    assert await vectors(work.model_id) == await everybody()
    [version] = await versions.every()
    assert version.texts == 35


async def test_what_kills_its_worker_every_time_is_shown_in_the_end(some, model, monkeypatch):
    work = await share()

    class Killed(Exception):
        pass

    async def die(*_):
        raise Killed

    monkeypatch.setattr(embedding, "store", die)
    deaths = 0
    while await dies(work, Killed):
        deaths += 1
        assert deaths <= MOST_ATTEMPTS * 35
        await fetch("update papers.unembedded set claimed_until = now() - interval '1 minute' returning 1")
    [version] = await versions.every()
    assert (version.waiting, version.failed) == (0, 35)


async def dies(work, death):
    try:
        await embed_box(work)
    except death:
        return True
    return False
