"""A version takes the place of the one that is searched when it has its vectors; who went from it can come back."""

import pytest

from shared.papers.embedding import refusals, swapping, versions
from shared.papers.reporting import alerts
from shared.platform.errors import Conflict
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich, pauses_end
from tests.present import present


@pytest.fixture
async def changed(some, service, monkeypatch):
    """35 papers embedded by one model; another one is configured since, which refuses three of them."""
    sent = []

    async def keep(alert):
        sent.append(alert)

    monkeypatch.setattr(alerts, "try_to_send", keep)
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "second")
    forget_settings()
    service.refused = "Paper 3"
    service.refusal_of = "second"
    await enrich()
    return sent


def states(found):
    return {one.version: one.state for one in found}


async def test_a_version_that_lacks_vectors_is_held_and_says_why(changed, service):
    """Paper 3, and papers 30 to 34."""
    second, first = await versions.every()
    assert (second.state, first.state) == ("building", "current")
    assert present(second.held_because).startswith(
        "It lacks the vectors of 6 of the 35 papers that the version searched has, more than"
        " PAPERS_MISSING_VECTORS_LIMIT allows (0.001). 6 were refused with: The embeddings service answered 400"
    )
    [mail] = changed
    assert mail.cause == "papers/openai second-64/model-held"
    assert present(second.held_because) in mail.text
    assert not await versions.anything_to_do()
    service.refused = "\0"
    await pauses_end()
    assert await versions.anything_to_do()
    assert (await enrich()).swapped
    second, first = await versions.every()
    assert (second.state, second.held_because, second.texts) == ("current", None, 35)


async def test_what_is_refused_for_good_holds_it_until_it_is_tried_again(changed, service):
    for _ in refusals.PAUSES_MINUTES:
        await pauses_end()
        await enrich()
    second, _ = await versions.every()
    assert (second.state, second.waiting, second.failed) == ("building", 0, 6)
    service.refused = "\0"
    await refusals.ask_again()
    assert (await enrich()).swapped


async def test_a_held_version_is_searched_when_a_person_says_so(changed, service):
    await swapping.release()
    second, first = await versions.every()
    assert (second.state, second.held_because, first.state) == ("current", None, "previous")
    with pytest.raises(Conflict, match="No model is held"):
        await swapping.release()


async def test_a_small_share_may_lack(changed, service, monkeypatch):
    monkeypatch.setenv("PAPERS_MISSING_VECTORS_LIMIT", "0.2")
    forget_settings()
    assert (await enrich()).swapped


async def test_a_held_version_is_given_up_when_the_settings_name_the_one_before(changed, service, monkeypatch):
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "text-embedding-3-small")
    forget_settings()
    assert await versions.anything_to_do()
    await enrich()
    assert states(await versions.every()) == {"second-64": "rejected", "text-embedding-3-small-64": "current"}
    assert not await versions.anything_to_do()


async def test_a_version_without_any_vector_is_not_released(some, service):
    await enrich()
    [version] = await versions.every()
    await fetch(
        "insert into papers.models (name, version, dimensions, state, held_because)"
        " values ('openai', 'empty-64', 64, 'building', 'it is empty') returning 1"
    )
    [empty] = await fetch(
        "select model_id, papers.make_vectors(model_id) from papers.models where version = 'empty-64'"
    )
    swap = await swapping.swap(empty["model_id"], None)
    assert not swap.swapped
    assert present(swap.held_because).startswith("It lacks the vectors of 35 of the 35 papers")
    with pytest.raises(Conflict, match="has no vector"):
        await swapping.release()
    assert present(await versions.current()).model_id == version.model_id


async def test_versions_with_nothing_in_common_have_no_likeness(some, model):
    await enrich()
    await fetch("delete from papers.papers returning 1")
    await some.ingest(await some.put("b.jsonl", [record(80)]))
    model.version = "second"
    assert (await enrich()).swapped
    assert present(await versions.current()).overlap is None


async def test_going_back_can_be_taken_back(some, model):
    await enrich()
    model.version = "second"
    await enrich()
    await swapping.roll_back()
    first, second = "crc32-64", "second"
    assert states(await versions.every()) == {first: "current", second: "rejected"}
    named = next(one for one in await versions.every() if one.version == second)
    assert "somebody went back from it" in present(named.held_because)
    await some.ingest(await some.put("b.jsonl", [record(80)]))
    await enrich()
    await swapping.roll_back()
    assert states(await versions.every()) == {first: "previous", second: "current"}
    await enrich()
    assert all(one.held_because is None for one in await versions.every())
    [found] = await fetch(f"select count(*) as n from papers.vectors_{present(await versions.current()).model_id}")
    assert found["n"] == 36
