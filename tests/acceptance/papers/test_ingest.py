"""On the real host: what is dropped into the inbox comes in, once, whatever is killed on the way."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.acceptance.kills import let_work
from tests.acceptance.papers.conftest import lines

PAPERS, KILLS = 12_000, 6

STAGED_AND_MERGED = "select (select sum(records) from papers.ingest_parts), (select count(*) from papers.papers)"


def record(number: int) -> dict[str, Any]:
    return {
        "id": f"2101.{number:05}",
        "title": f"Paper {number}",
        "abstract": f"What paper {number} says " + "and says again " * 20,
        "authors_parsed": [["Müller", "A.", ""]],
        "categories": "cs.LG stat.ML",
        "update_date": "2021-01-02",
    }


def test_a_file_in_the_inbox_is_taken_in_by_the_minute_timer(running: Any) -> None:
    with running() as app:
        app.upload("a.jsonl", lines([record(n) for n in range(50)]))
        app.minute()
        deadline = time.monotonic() + 60
        while not (found := app.ask("GET", "/api/papers/ingests")["data"]):
            assert time.monotonic() < deadline, app.host.output[-40:]
            time.sleep(0.1)
        done = app.ended(f"/api/papers/ingests/{found[0]['ingest_id']}")
        assert (done["state"], done["added"], done["started_by"]) == ("completed", 50, "inbox")


@pytest.mark.crash
def test_kills_anywhere_lose_and_double_nothing(running: Any) -> None:
    """Kills while 12,000 records are read and merged; one of them is bad."""
    chosen = random.Random(20261130)
    records = [record(n) for n in range(PAPERS)]
    records[777]["title"] = None
    with running(PAPERS_PART_MB="1", PAPERS_INGEST_SECONDS="1") as app:
        blob = app.upload("a.jsonl", lines(records))
        at = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)["location"]
        for _ in range(KILLS):
            let_work(chosen.uniform(0.05, 0.8), lambda: app.execute(STAGED_AND_MERGED))
            assert "paper_ingest" in app.host.restart_by_kill()
        done = app.ended(at)
        assert (done["state"], done["records"], done["rejected"]) == ("completed", PAPERS - 1, 1)
        assert (done["added"], done["changed"], done["unchanged"]) == (PAPERS - 1, 0, 0)
        assert app.execute("select count(*), count(distinct source_id) from papers.papers") == [
            (PAPERS - 1, PAPERS - 1)
        ]
        assert app.execute("select count(*) from papers.staged") == [(0,)]
        [reject] = app.ask("GET", f"{at}/rejects")["data"]
        assert (reject["line"], reject["reason"]) == (778, "it has no title")


def test_an_ingest_whose_orchestration_was_ended_from_outside_goes_on(running: Any) -> None:
    with running(PAPERS_PART_MB="1", PAPERS_INGEST_SECONDS="1") as app:
        blob = app.upload("a.jsonl", lines([record(n) for n in range(3_000)]))
        started = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)
        app.ask("POST", f"/ops/runs/{started['id']}/terminate", {"reason": "test"}, status=204)
        app.minute()
        assert app.ended(started["location"])["added"] == 3_000
