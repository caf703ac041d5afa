"""On the real host: what is dropped into the inbox comes in, once, whatever is killed on the way."""

from __future__ import annotations

import json
import random
import time
from typing import Any
from uuid import uuid4

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

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


def test_a_file_that_an_event_tells_of_is_taken_in_at_once_and_once(running: Any) -> None:
    """Without the minute timer. Other events, of the same version and of files that are away, change nothing."""
    with running() as app:
        blob = app.upload("a.jsonl", lines([record(n) for n in range(50)]))
        away = "inbox/arxiv/away.jsonl"
        send(app, event(app, blob), event(app, away), event(app, blob), "no JSON")
        app.until(lambda: app.ask("GET", "/api/papers/ingests")["data"])
        [found] = app.ask("GET", "/api/papers/ingests")["data"]
        done = app.ended(f"/api/papers/ingests/{found['ingest_id']}")
        assert (done["state"], done["added"], done["started_by"]) == ("completed", 50, "inbox")
        send(app, event(app, blob))
        app.until(lambda: queue(app) == (0, 1))
        [after] = app.ask("GET", "/api/papers/ingests")["data"]
        assert after == done


def event(app: Any, blob: str) -> str:
    """What Event Grid writes of a blob that was created."""
    return json.dumps(
        {
            "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/stdata",
            "subject": f"/blobServices/default/containers/{app.settings['PAPERS_CONTAINER']}/blobs/{blob}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "id": str(uuid4()),
            "data": {"api": "PutBlob", "eTag": "0x8D4BCC2E4835CD0", "contentLength": 1, "blobType": "BlockBlob"},
            "dataVersion": "",
            "metadataVersion": "1",
            "eventTime": "2026-11-30T12:00:00.0000000Z",
        }
    )


def send(app: Any, *bodies: str) -> None:
    client = ServiceBusClient.from_connection_string(app.settings["ServiceBus"])
    with client, client.get_queue_sender("papers") as sender:
        sender.send_messages([ServiceBusMessage(body) for body in bodies])


def queue(app: Any) -> tuple[int, int]:
    """Messages that wait, and dead letters."""
    found = next(one for one in app.ask("GET", "/ops/queues")["data"] if one["queue"] == "papers")
    return found["active"], found["dead_letters"]


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
