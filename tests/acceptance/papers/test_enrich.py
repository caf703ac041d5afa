"""On the real host: every paper gets one vector, whatever is killed on the way."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.acceptance.kills import let_work
from tests.acceptance.papers.conftest import lines
from tests.acceptance.papers.test_ingest import record

PAPERS, KILLS = 30_000, 6


@pytest.mark.crash
def test_kills_anywhere_lose_and_double_no_vector(running: Any) -> None:
    """Kills while papers are embedded, right behind their ingest and again by the minute timer's sweep."""
    chosen = random.Random(20261130)
    with running(PAPERS_INGEST_SECONDS="5", PAPERS_EMBED_SECONDS="1") as app:
        blob = app.upload("a.jsonl", lines([record(n) for n in range(PAPERS)]))
        at = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)["location"]
        assert app.ended(at)["added"] == PAPERS
        for _ in range(KILLS):
            # Each comes a moment after some more papers have their vectors, so that on a quick machine most are left.
            let_work(60, lambda: embedded(app))
            time.sleep(chosen.uniform(0, 0.05))
            app.host.kill()
            assert embedded(app) < PAPERS
            assert {"paper_enrich", "embed_share"} <= set(app.host.unfinished())
            # What a killed worker had claimed is free after ten minutes: they are over.
            app.execute("update papers.unembedded set claimed_until = now() - interval '1 second'")
            app.host.start()
        app.minute()
        app.until(lambda: embedded(app) == PAPERS, seconds=180)
        [model_id] = [row[0] for row in app.execute("select model_id from papers.models")]
        assert app.execute(f"select count(*), count(distinct paper_id) from papers.vectors_{model_id}") == [
            (PAPERS, PAPERS)
        ]
        assert app.execute("select count(*) from papers.unembedded") == [(0,)]
        assert app.execute("select sum(texts)::int from papers.embedding_usage") == [(PAPERS,)]
        found = app.ask("GET", "/api/papers?search_text=paper%204711&limit=3")
        assert len(found["results"]) == 3
        assert found["plan"] == ["exact", "words"]


def embedded(app: Any) -> int:
    """Papers that have a vector, as the usage counts them: it is counted with each vector that is stored."""
    return app.execute("select coalesce(sum(texts), 0)::int from papers.embedding_usage")[0][0]
