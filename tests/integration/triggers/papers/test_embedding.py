"""The routes of vectors: the versions of models, and the texts that one refused, in pages."""

import json

from tests.integration.shared.papers.embedding.conftest import enrich

REFUSED = "/api/papers/models/{model_id}/refused"


async def test_refused_texts_come_in_pages_each_once(some, service, call, pages):
    service.refused = "Paper 1"
    await enrich()
    status, body, _ = await call("GET", "/api/papers/models")
    [version] = json.loads(body)["models"]
    assert (status, version["state"], version["waiting"], version["refused"]) == (200, "current", 11, 11)
    found = await pages(REFUSED, model_id=version["model_id"], limit=4)
    assert [len(page) for page in found] == [4, 4, 3]
    titles = {text["title"] for page in found for text in page}
    assert titles == {"Paper 1", *(f"Paper {n}" for n in range(10, 20))}


async def test_a_model_that_is_not_there_and_one_that_is_not_held_are_told_with_what_to_do(call):
    status, body, _ = await call("GET", REFUSED, model_id=7)
    assert (status, json.loads(body)["code"]) == (404, "unknown-model")
    status, body, _ = await call("POST", "/api/papers/models/release")
    assert (status, json.loads(body)["code"]) == (409, "no-held-model")
    assert json.loads(body)["remedy"] == "See GET /api/papers/models."
    status, body, _ = await call("POST", "/api/papers/models/roll-back")
    assert (status, json.loads(body)["code"]) == (409, "no-previous-model")
