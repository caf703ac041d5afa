"""The routes that take files in: addresses of uploads, lists in pages, what a person says of a held file."""

import json
from uuid import UUID

from tests.integration.shared.papers.conftest import record

INGESTS = "/api/papers/ingests"


async def test_an_upload_is_told_where_it_goes_and_what_it_sends_along(call):
    body = {"name": "2026.jsonl.gz", "source": "arxiv"}
    status, answer, headers = await call("POST", "/api/papers/uploads", body=body)
    upload = json.loads(answer)
    assert (status, upload["blob"]) == (200, "inbox/arxiv/2026.jsonl.gz")
    assert upload["blob"] in upload["url"]
    assert upload["headers"] == {"x-ms-blob-type": "BlockBlob"}
    assert headers["cache-control"] == "no-store"
    status, answer, _ = await call("POST", "/api/papers/uploads", body=body | {"name": "../2026.jsonl"})
    assert (status, json.loads(answer)["errors"][0]["pointer"]) == (400, "#/name")


async def test_ingests_come_in_pages_newest_first(papers, pages):
    names = [await papers.put(f"inbox/arxiv/{n}.jsonl", [record(n)]) for n in range(5)]
    for name in names:
        await papers.ingest(name)
    found = await pages(INGESTS, limit=2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert [ingest["blob"] for page in found for ingest in page] == list(reversed(names))


async def test_rejects_come_in_pages_in_the_order_of_their_lines(papers, pages):
    records = [record(n, title=None if n % 10 == 3 else "T") for n in range(50)]
    done = await papers.ingest(await papers.put("a.jsonl", records))
    found = await pages(f"{INGESTS}/{{ingest_id}}/rejects", ingest_id=done.ingest_id, limit=2)
    assert [[reject["line"] for reject in page] for page in found] == [[4, 14], [24, 34], [44]]


async def test_only_a_held_file_is_released_or_discarded(papers, call):
    done = await papers.ingest(await papers.put("a.jsonl", [record(1)]))
    status, answer, _ = await call("POST", f"{INGESTS}/{{ingest_id}}/discard", ingest_id=done.ingest_id)
    problem = json.loads(answer)
    assert (status, problem["code"]) == (409, "ingest-not-held")
    assert problem["detail"] == f"The ingest {done.ingest_id} is completed, not held."
    assert problem["remedy"] == f"GET {INGESTS}/{done.ingest_id} shows how far it is."


async def test_an_ingest_that_is_not_there_is_told_with_what_lists_them(call):
    for method, route in [("GET", ""), ("GET", "/rejects"), ("POST", "/discard")]:
        status, answer, _ = await call(method, f"{INGESTS}/{{ingest_id}}{route}", ingest_id=UUID(int=7))
        problem = json.loads(answer)
        assert (status, problem["code"]) == (404, "unknown-ingest")
        assert problem["remedy"] == "GET /api/papers/ingests lists them."
