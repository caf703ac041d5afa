"""What follows a merge: the planner knows of it, and the papers get their vectors."""

from activities.papers import ingesting
from shared.papers.embedding import versions
from shared.papers.search.filtering.conditions import Condition
from shared.papers.search.filtering.counting import estimate
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record


async def estimated(condition: Condition) -> int:
    async with database() as connection:
        return await estimate(connection, condition)


async def test_counts_are_estimated_rightly_at_once(papers):
    """Autovacuum would come a minute later."""
    records = [record(n, categories="cs.LG" if n % 4 else "hep-ph") for n in range(4_000)]
    await papers.ingest(await papers.put("a.jsonl", records))
    assert abs(await estimated(Condition()) - 4_000) < 40
    few = Condition("p.categories @> array[%(name)s]", {"name": "hep-ph"})
    assert abs(await estimated(few) - 1_000) < 200


async def test_a_small_ingest_leaves_the_statistics_alone(papers):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(100)]))
    known = "select reltuples::int as n from pg_class where oid = 'papers.papers'::regclass"
    assert await fetch(known) == [{"n": 100}]
    await papers.ingest(await papers.put("b.jsonl", [record(n) for n in range(90, 105)]))
    assert await fetch(known) == [{"n": 100}]
    await papers.ingest(await papers.put("c.jsonl", [record(n) for n in range(200, 220)]))
    assert await fetch(known) == [{"n": 125}]


async def test_what_came_gets_its_vectors_at_once(papers, monkeypatch):
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    forget_settings()
    monkeypatch.setattr(ingesting, "nobody_embeds", versions.nobody_embeds)
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(20)]))
    [version] = await versions.every()
    assert (version.texts, version.waiting) == (20, 0)
    await papers.ingest(await papers.put("b.jsonl", [record(n) for n in range(15, 25)]))
    [version] = await versions.every()
    assert (version.texts, version.waiting) == (25, 0)


async def test_where_a_worker_is_at_it_the_papers_are_left_to_it(papers, monkeypatch):
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    forget_settings()
    monkeypatch.setattr(ingesting, "nobody_embeds", versions.nobody_embeds)
    await papers.ingest(await papers.put("a.jsonl", [record(1)]))
    [version] = await versions.every()
    await fetch(
        "insert into papers.unembedded (model_id, paper_id, claim, claimed_until)"
        " select %s, paper_id, gen_random_uuid(), now() + interval '1 minute' from papers.papers returning 1",
        version.model_id,
    )
    await papers.ingest(await papers.put("b.jsonl", [record(2)]))
    [version] = await versions.every()
    assert (version.texts, version.waiting) == (1, 2)
    await fetch("update papers.unembedded set claimed_until = now() - interval '1 minute' returning 1")
    await papers.ingest(await papers.put("c.jsonl", [record(3)]))
    [version] = await versions.every()
    assert (version.texts, version.waiting) == (4, 0)
