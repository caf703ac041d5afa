"""A model is built beside the one that is searched, put in its place at once, and can be taken back."""

import pytest

from shared.papers.embedding import swapping, versions
from shared.papers.embedding.embedders import embedder
from shared.papers.embedding.models import ModelVersion
from shared.platform.errors import Conflict, TerminalError
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich
from tests.present import present


def states(found):
    return {one.version: one.state for one in found}


async def test_another_model_is_built_beside_compared_and_swapped_at_once(some, model):
    await enrich()
    model.version = "second"
    assert await versions.anything_to_do()
    built = await versions.ensure()
    assert states(built) == {"crc32-64": "current", "second": "building"}
    assert present(await versions.current()).version == "crc32-64"
    assert (await enrich()).swapped
    assert states(await versions.every()) == {"crc32-64": "previous", "second": "current"}
    now = present(await versions.current())
    assert now.overlap == 1.0  # the same words are hashed alike
    assert not await versions.anything_to_do()


async def test_a_model_that_is_not_complete_is_not_swapped(some, model):
    await enrich()
    model.version = "second"
    building = next(one for one in await versions.ensure() if one.state == "building")
    assert not (await swapping.swap(building.model_id, 1.0)).swapped
    assert present(await versions.current()).version == "crc32-64"


async def test_a_roll_back_is_at_once_and_catches_up(some, model):
    await enrich()
    with pytest.raises(Conflict, match="no version before"):
        await swapping.roll_back()
    model.version = "second"
    await enrich()
    await some.ingest(await some.put("b.jsonl", [record(80)]))
    await enrich()
    await swapping.roll_back()
    assert states(await versions.every()) == {"crc32-64": "current", "second": "rejected"}
    await enrich()  # PAPERS_EMBEDDER still names the second one: it stays rejected
    assert present(await versions.current()).version == "crc32-64"
    [found] = await fetch(f"select count(*) as n from papers.vectors_{present(await versions.current()).model_id}")
    assert found["n"] == 36


async def test_a_model_that_was_not_wanted_for_a_while_is_built_all_the_same(some, model):
    await enrich()
    model.version = "second"
    await versions.ensure()
    model.version = "crc32-64"
    await versions.ensure()
    assert states(await versions.every()) == {"crc32-64": "current", "second": "rejected"}
    await some.ingest(await some.put("b.jsonl", [record(80)]))
    model.version = "second"
    assert await versions.anything_to_do()
    assert (await enrich()).swapped
    [found] = await fetch(f"select count(*) as n from papers.vectors_{present(await versions.current()).model_id}")
    assert found["n"] == 36


async def test_a_package_of_another_version_than_the_vectors_is_not_asked():
    with pytest.raises(TerminalError, match="vectors are of older"):
        embedder(ModelVersion(model_id=1, name="hashing", version="older", dimensions=64, state="current"))


async def test_a_third_model_drops_the_first(some, model):
    for version in ("crc32-64", "second", "third"):
        model.version = version
        await enrich()
    assert states(await versions.every()) == {"third": "current", "second": "previous"}
    tables = await fetch("select count(*) as n from pg_tables where schemaname = 'papers' and tablename ~ '^vectors_'")
    assert tables == [{"n": 2}]


def test_a_version_says_what_it_is():
    assert ModelVersion(model_id=1, name="a", version="b", dimensions=3, state="current").waiting == 0
