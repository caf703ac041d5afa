"""A model that does not work is named with its version, and mailed where it will not pass by itself."""

import pytest

from local.providers.embeddings import KEY
from shared.papers.embedding import problems, versions
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich, pauses_end
from tests.present import present


async def test_who_refuses_us_is_named_mailed_and_asked_again_after_a_pause(some, service, sent_alerts, monkeypatch):
    await enrich()
    await some.ingest(await some.put("b.jsonl", [record(90)]))
    monkeypatch.setenv("PAPERS_OPENAI_KEY", "wrong")
    forget_settings()
    with pytest.raises(TerminalError, match="401"):
        await enrich()
    [version] = await versions.every()
    assert "answered 401" in present(version.problem)
    assert version.failed == 0
    assert {alert.cause for alert in sent_alerts} == {"papers/openai text-embedding-3-small-64/vectors-stopped"}
    assert "answered 401" in sent_alerts[0].text
    assert not await versions.anything_to_do()
    await pauses_end()
    assert await versions.anything_to_do()
    with pytest.raises(TerminalError, match="401"):
        await enrich()
    assert not await versions.anything_to_do()
    await problems.ask_now()
    assert await versions.anything_to_do()
    monkeypatch.setenv("PAPERS_OPENAI_KEY", KEY)
    forget_settings()
    assert (await enrich()).embedded == 1
    [version] = await versions.every()
    assert version.problem is None


async def test_an_outage_is_named_and_not_mailed(some, service, sent_alerts):
    await enrich()
    await some.ingest(await some.put("b.jsonl", [record(90)]))
    service.out, service.seconds = 503, 0
    with pytest.raises(TerminalError):
        await enrich()
    [version] = await versions.every()
    assert "answered 503" in present(version.problem)
    assert sent_alerts == []
    assert await versions.anything_to_do()


async def test_a_new_model_that_does_not_work_holds_up_no_other(some, service, sent_alerts, monkeypatch):
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "second")
    forget_settings()
    service.refusing = "second"
    await some.ingest(await some.put("b.jsonl", [record(90)]))
    assert (await enrich()).embedded == 1
    second, first = await versions.every()
    assert (first.state, first.texts, first.problem) == ("current", 36, None)
    assert (second.state, second.texts, second.failed) == ("building", 0, 0)
    assert "second-64 refuses every text" in present(second.problem)


async def test_a_current_model_that_does_not_work_holds_up_no_other(some, service, sent_alerts, monkeypatch):
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "second")
    forget_settings()
    service.refusing = "text-embedding-3-small"
    await some.ingest(await some.put("b.jsonl", [record(90)]))
    await enrich()
    second, first = await versions.every()
    assert (second.state, second.texts) == ("current", 36)
    assert first.state == "previous"


async def test_papers_that_fail_are_mailed(some, service, sent_alerts):
    service.refused = "Paper 7 "
    await enrich()
    for _ in range(3):
        assert sent_alerts == []
        await pauses_end()
        await enrich()
    [mail] = sent_alerts
    assert mail.cause == "papers/openai text-embedding-3-small-64/vectors-failed"
    assert "/refused" in mail.text


async def test_a_problem_is_cleared_once(some, service):
    [version] = await versions.ensure()
    await problems.clear(version.model_id)
    assert await fetch("select problem from papers.models") == [{"problem": None}]
