"""A model that refuses every text is to blame, and no text is."""

import pytest

from shared.papers.embedding import versions
from shared.platform.errors import TerminalError
from tests.integration.shared.papers.conftest import record
from tests.integration.shared.papers.embedding.conftest import enrich
from tests.present import present


async def test_a_model_that_refuses_every_text_stops_after_some_calls_and_no_paper_is_to_blame(
    papers, service, sent_alerts
):
    """Before the first vector, and when it worked before."""
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(600)]))
    service.refusing = "text-embedding-3-small"
    with pytest.raises(TerminalError, match="refuses every text"):
        await enrich()
    assert len(service.models) < 60
    service.refusing = None
    assert (await enrich()).embedded == 600
    service.refusing = "text-embedding-3-small"
    service.models.clear()
    await papers.ingest(await papers.put("b.jsonl", [record(n) for n in range(1_000, 1_600)]))
    with pytest.raises(TerminalError, match="refuses every text"):
        await enrich()
    assert len(service.models) < 4 * 30
    [version] = await versions.every()
    assert (version.waiting, version.refused, version.failed) == (600, 0, 0)
    assert "does not support specifying dimensions" in present(version.problem)
    assert {alert.cause for alert in sent_alerts} == {"papers/openai text-embedding-3-small-64/vectors-stopped"}
