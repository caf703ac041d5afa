"""On the real host: papers that wait at a service for a day are embedded once, whatever is killed meanwhile."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from local.killable import KillableService
from local.processes import free_port
from local.providers.embeddings import KEY
from tests.acceptance.papers.conftest import lines
from tests.acceptance.papers.test_enrich import embedded
from tests.acceptance.papers.test_ingest import record

PAPERS = 300
KILLS = 3
LOOKS = 3 * KILLS
"""At a batch until it has ended: more than the service counts at the kills, which are two at each, that of the killed
host and that of its repetition."""


@pytest.mark.crash
def test_kills_while_a_batch_waits_send_it_once_and_embed_each_paper_once(running: Any) -> None:
    """The host is killed within a look at a batch that has not ended: the service does not answer meanwhile."""
    port = free_port()
    service = KillableService(["local.providers", "--port", port, "--looks", LOOKS])
    batches = {"PAPERS_EMBEDDER": "openai", "PAPERS_OPENAI_BATCH_FROM": "200", "PAPERS_OPENAI_DIMENSIONS": "64"}
    address = {"PAPERS_OPENAI_ENDPOINT": f"http://127.0.0.1:{port}/v1", "PAPERS_OPENAI_KEY": KEY}
    with service.running(), running(**batches, **address) as app:
        blob = app.upload("a.jsonl", lines([record(n) for n in range(PAPERS)]))
        at = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)["location"]
        assert app.ended(at)["added"] == PAPERS
        app.until(lambda: len(sent(port)) == 1)
        for _ in range(KILLS):
            app.until(lambda: not embeds(app))
            with service.hanging():
                app.minute()
                app.until(lambda: embeds(app))
                assert embedded(app) == 0
                assert "paper_enrich" in app.host.restart_by_kill()
        app.until(lambda: embeds_all(app))
        assert len(sent(port)) == 1
        [(state, of_batch, refused)] = app.execute("select state, embedded, refused from papers.embedding_batches")
        assert (state, of_batch, refused) == ("ended", PAPERS, 0)
        [model_id] = [row[0] for row in app.execute("select model_id from papers.models")]
        assert app.execute(f"select count(*), count(distinct paper_id) from papers.vectors_{model_id}") == [
            (PAPERS, PAPERS)
        ]
        assert app.execute("select count(*) from papers.unembedded") == [(0,)]


def embeds(app: Any) -> bool:
    """Whether a run of the embedding is under way."""
    runs = app.ask("GET", "/ops/runs?status=Running&status=Pending")["data"]
    return any(run["name"] == "paper_enrich" for run in runs)


def embeds_all(app: Any) -> bool:
    """Whether every paper has its vector; where no run goes on with it, the minute timer starts one."""
    if not embeds(app):
        app.minute()
    return embedded(app) == PAPERS


def sent(port: int) -> list[dict[str, Any]]:
    """The batches that the service was given."""
    request = Request(f"http://127.0.0.1:{port}/v1/batches", headers={"Authorization": f"Bearer {KEY}"})
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)["data"]
