"""What is no fault of a text counts as no attempt; what is refused for its own sake is asked again, then failed."""

from uuid import uuid4

import pytest

from shared.papers.embedding import embedding, refusals, versions
from shared.platform.calls.retry import Backoff
from shared.platform.errors import TerminalError
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich, pauses_end


@pytest.fixture
def impatient(monkeypatch):
    """Workers that do not wait for a model that is busy."""
    monkeypatch.setattr(embedding, "PATIENCE", Backoff(limit=0, first_delay=0, longest_delay=0, longest_wait=0))


async def attempts():
    return await fetch("select distinct attempts, refusals, claim, claimed_until from papers.unembedded")


@pytest.mark.parametrize("status", [401, 404, 429, 503])
async def test_an_outage_or_a_wrong_setting_is_no_attempt_of_any_paper(some, service, impatient, status):
    await enrich()
    await some.ingest(await some.put("b.jsonl", [record(n) for n in range(50, 80)]))
    service.out, service.seconds = status, 100
    for _ in range(refusals.MOST_ATTEMPTS + 1):
        with pytest.raises(TerminalError):  # after the repeats of its policy
            await enrich()
        assert await attempts() == [{"attempts": 0, "refusals": 0, "claim": None, "claimed_until": None}]
    service.out = 0
    assert (await enrich()).embedded == 30


async def test_what_was_given_up_is_asked_again_when_a_person_says_so(some, service):
    service.refused = "Paper 7 "
    await enrich()
    for _ in refusals.PAUSES_MINUTES:
        await pauses_end()
        await enrich()
    [version] = await versions.every()
    assert (version.waiting, version.failed) == (0, 1)
    [failed] = await refusals.of_model(version.model_id, 10, None)
    assert (failed.source_id, failed.failed, failed.asked_again_at) == ("2101.00007", True, None)
    assert (failed.refusals, "The input was filtered" in failed.reason) == (4, True)
    service.refused = "\0"
    assert (await enrich()).embedded == 0
    assert await refusals.ask_again() == 1
    assert (await enrich()).embedded == 1


async def test_refused_texts_come_in_pages(some, service):
    service.refused = "says"
    await some.ingest(await some.put("b.jsonl", [record(n, abstract="Well.") for n in range(50, 80)]))
    assert (await enrich()).embedded == 30
    [version] = await versions.every()
    first = await refusals.of_model(version.model_id, 20, None)
    rest = await refusals.of_model(version.model_id, 20, first[-1].paper_id)
    assert (len(first), len(rest)) == (20, 15)
    assert len({one.source_id for one in first + rest}) == 35
    assert all(one.asked_again_at for one in first + rest)


async def test_pauses_grow(some, service):
    service.refused = "Paper 7 "
    await enrich()
    waits = []
    for _ in refusals.PAUSES_MINUTES:
        [row] = await fetch("select extract(epoch from claimed_until - now())::float8 as left from papers.unembedded")
        waits.append(row["left"])
        await pauses_end()
        await enrich()
    assert waits == [pytest.approx(60 * minutes, abs=30) for minutes in refusals.PAUSES_MINUTES]


async def test_who_has_lost_a_claim_refuses_nothing_and_gives_nothing_back(some, service):
    [version] = await versions.ensure()
    claim = uuid4()
    [one] = await embedding.claim_papers(version.model_id, claim, 1, 10)
    assert not await refusals.refuse(version.model_id, one.paper_id, "late", uuid4())
    await refusals.give_back(version.model_id, uuid4())
    [row] = await fetch("select claim, attempts from papers.unembedded where claim is not null")
    assert row == {"claim": claim, "attempts": 1}
    await refusals.give_back(version.model_id, claim)
    assert await fetch("select count(*)::int as n from papers.unembedded where claim is null and attempts = 0") == [
        {"n": 35}
    ]
