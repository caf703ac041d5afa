"""Many papers are embedded by the Batch API, each once, whatever ends before its time."""

import base64
import json
import struct

import pytest

from local.providers.embeddings import KEY
from shared.papers.embedding import batches, refusals, versions
from shared.papers.embedding.embedders import embedder, openai_batches
from shared.papers.embedding.embedders.openai import OpenAiEmbedder
from shared.papers.embedding.embedders.openai_batches import OpenAiBatches
from shared.papers.embedding.refusals import MOST_ATTEMPTS
from shared.platform.errors import TerminalError, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.embedding.conftest import enrich
from tests.present import present


@pytest.fixture
def service(service, monkeypatch):
    """Batches of ten texts, from fifteen waiting papers on."""
    monkeypatch.setenv("PAPERS_OPENAI_BATCH_FROM", "15")
    monkeypatch.setenv("PAPERS_OPENAI_BATCH_MODEL", "nightly")
    monkeypatch.setattr(openai_batches, "MOST_TEXTS", 10)
    forget_settings()
    return service


@pytest.fixture
async def some(papers):
    """35 papers: two batches of ten, and fifteen fewer than that are one more; five are embedded at once."""
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(35)]))
    return papers


async def noted():
    return await fetch("select state, reason, embedded, refused from papers.embedding_batches order by created_at")


async def everything_embedded():
    [version] = await versions.every()
    [row] = await fetch(
        f"select count(*)::int as n, count(distinct paper_id)::int as papers from papers.vectors_{version.model_id}"
    )
    [left] = await fetch("select count(*)::int as n from papers.unembedded")
    return (row["n"], row["papers"], left["n"], version.texts)


async def test_many_are_given_in_batches_and_the_rest_is_embedded_at_once(some, service):
    service.batches.looks = 2
    assert (await enrich()).embedded == 5
    assert len(service.batches.batches) == 3
    sent = [json.loads(line) for line in next(iter(service.batches.files.values())).splitlines()]
    assert {line["body"]["model"] for line in sent} == {"nightly"}
    assert await versions.anything_to_do()
    assert (await enrich()).embedded == 0  # looked at for the first time
    assert (await enrich()).embedded == 30
    assert await everything_embedded() == (35, 35, 0, 35)
    assert [row["state"] for row in await noted()] == ["ended"] * 3
    assert service.batches.files == {}
    assert not await versions.anything_to_do()


async def test_a_batch_costs_half_and_gives_the_same_vectors(some, service):
    await enrich()
    await enrich()
    [version] = await versions.every()
    assert version.dollars < version.tokens * 0.02 / 1e6 * 0.7
    rows = await fetch(
        f"select p.title, p.abstract, v.embedding::real[] as vector, m.centre from papers.vectors_{version.model_id} v"
        " join papers.papers p using (paper_id), papers.models m"
    )
    for row in rows[:5]:
        direct = (await embedder(version).embed([f"Title: {row['title']} Abstract: {row['abstract']}"])).vectors[0]
        assert [a + b for a, b in zip(row["vector"], row["centre"], strict=True)] == pytest.approx(direct, abs=1e-3)


async def test_what_is_refused_in_a_batch_is_named_and_the_rest_lands(some, service):
    service.refused = "paper 7 says"
    await enrich()
    await enrich()
    assert (await everything_embedded())[:3] == (34, 34, 1)
    [version] = await versions.every()
    [refused] = await refusals.of_model(version.model_id, 10, None)
    assert (refused.source_id, refused.refusals) == ("2101.00007", 1)
    assert "The input was filtered" in refused.reason


@pytest.mark.parametrize(("ends", "answered"), [("failed", 0), ("expired", 4), ("cancelled", 4), ("expired", 0)])
async def test_what_a_batch_leaves_over_is_embedded_otherwise(some, service, ends, answered):
    service.batches.ends, service.batches.answered = ends, answered
    await enrich()
    await enrich()  # sees how it ended, and gives what is left once more
    service.batches.ends = "completed"
    await enrich()
    await enrich()
    assert await everything_embedded() == (35, 35, 0, 35)
    assert (await noted())[0]["reason"].startswith(ends)


async def test_a_sender_killed_before_it_noted_the_batch_doubles_nothing(some, service, monkeypatch):
    class Killed(BaseException):
        pass

    async def die(*_):
        raise Killed

    monkeypatch.setattr(batches, "_note", die)
    work = await share()
    with pytest.raises(Killed):
        await batches.work(work)
    monkeypatch.undo()
    assert len(service.batches.batches) == 1
    assert await noted() == [{"state": "sending", "reason": None, "embedded": 0, "refused": 0}]
    await batches._fetch(*await arguments(work))  # it may still be sending
    assert (await noted())[0]["state"] == "sending"
    await fetch("update papers.embedding_batches set created_at = now() - interval '1 hour' returning 1")
    await batches._fetch(*await arguments(work))
    assert await noted() == [{"state": "ended", "reason": "completed", "embedded": 10, "refused": 0}]
    assert len(service.batches.batches) == 1


async def test_a_sender_killed_before_it_sent_anything_frees_its_papers(some, service, monkeypatch):
    async def die(*_):
        raise TransientError("killed")

    monkeypatch.setattr(openai_batches.OpenAiBatches, "send", die)
    work = await share()
    with pytest.raises(TransientError):
        await batches.work(work)
    monkeypatch.undo()
    await fetch("update papers.embedding_batches set created_at = now() - interval '1 hour' returning 1")
    await batches._fetch(*await arguments(work))
    assert (await noted())[0]["reason"] == "it was never sent"
    [free] = await fetch("select count(*)::int as n from papers.unembedded where claim is null")
    assert free["n"] == 35


async def test_answers_fetched_twice_are_stored_once(some, service, monkeypatch):
    """Who fetched them was killed before it noted that the batch has ended."""

    async def die(*_):
        raise TransientError("killed")

    await enrich()
    work = await share()
    monkeypatch.setattr(batches, "_end", die)
    with pytest.raises(TransientError):
        await batches.work(work)
    monkeypatch.undo()
    assert [row["state"] for row in await noted()] == ["sent"] * 3
    await batches.work(work)
    assert await everything_embedded() == (35, 35, 0, 35)
    assert [row["state"] for row in await noted()] == ["ended"] * 3


async def test_a_batch_that_the_service_has_forgotten_frees_its_papers(some, service):
    await enrich()
    service.batches.batches.clear()
    await enrich()
    await enrich()
    assert await everything_embedded() == (35, 35, 0, 35)
    assert "No such batch" in (await noted())[0]["reason"]


async def test_below_the_limit_and_without_it_there_are_no_batches(papers, service, monkeypatch):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(14)]))
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_BATCH_FROM", "0")
    forget_settings()
    await papers.ingest(await papers.put("b.jsonl", [record(n) for n in range(50, 90)]))
    await enrich()
    assert service.batches.batches == {}
    assert await everything_embedded() == (54, 54, 0, 54)


async def test_a_batch_model_that_refuses_every_text_is_named_and_no_paper_is_to_blame(some, service):
    service.refusing = "nightly"
    await enrich()
    with pytest.raises(TerminalError, match="nightly refuses every text"):
        await enrich()
    [version] = await versions.every()
    assert (version.waiting, version.refused, version.failed) == (30, 0, 0)
    assert "nightly refuses every text" in present(version.problem)
    service.refusing = None
    await enrich()
    await enrich()
    assert await everything_embedded() == (35, 35, 0, 35)
    [version] = await versions.every()
    assert version.problem is None


async def test_batches_that_end_without_answers_are_no_attempts(some, service, monkeypatch):
    monkeypatch.setenv("PAPERS_OPENAI_BATCH_FROM", "1")
    forget_settings()
    service.batches.ends = "failed"
    for _ in range(MOST_ATTEMPTS + 2):
        await enrich()
    [version] = await versions.every()
    assert (version.waiting, version.failed) == (35, 0)
    assert await fetch("select distinct attempts from papers.unembedded") == [{"attempts": 1}]


async def test_a_wrong_key_ends_no_batch_that_is_under_way(some, service, monkeypatch):
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_KEY", "wrong")
    forget_settings()
    with pytest.raises(TerminalError, match="401"):
        await enrich()
    assert [row["state"] for row in await noted()] == ["sent"] * 3
    monkeypatch.setenv("PAPERS_OPENAI_KEY", KEY)
    forget_settings()
    assert (await enrich()).embedded == 30


async def share():
    from shared.papers.embedding import centre
    from shared.papers.embedding.models import EmbedShare

    [version] = await versions.ensure()
    await centre.settle(version)
    return EmbedShare(model_id=version.model_id, embedder="openai")


async def arguments(work):
    """What `_fetch` takes for the one batch that is open."""
    model = embedder(await versions.find(work.model_id))
    assert isinstance(model, OpenAiEmbedder)
    [batch] = await batches._open(work.model_id)
    return openai_batches.OpenAiBatches(model), model, work.model_id, batch


async def test_batches_are_given_to_the_model_of_their_version(papers, service, monkeypatch):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(5)]))
    await enrich()
    monkeypatch.setenv("PAPERS_OPENAI_MODEL", "another")
    monkeypatch.setenv("PAPERS_OPENAI_BATCH_MODEL", "another-nightly")
    monkeypatch.setenv("PAPERS_OPENAI_DIMENSIONS", "32")
    forget_settings()
    await versions.ensure()
    await papers.ingest(await papers.put("b.jsonl", [record(n) for n in range(50, 70)]))
    await enrich()
    sent = [json.loads(line)["body"] for file in service.batches.files.values() for line in file.splitlines()]
    assert {(one["model"], one["dimensions"]) for one in sent} == {("nightly", 64), ("another-nightly", 32)}


def changed(line, change):
    said = json.loads(line)
    change(said)
    return json.dumps(said).encode()


def with_vector(line, vector):
    return changed(line, lambda said: said["response"]["body"]["data"][0].update(embedding=vector))


def packed(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


REFUSED, ASKED_AGAIN, TAKEN = "no vector of 64 numbers", None, ""
ODD = {
    "NaN": (lambda line: with_vector(line, packed(*[float("nan")] * 64)), REFUSED),
    "three numbers": (lambda line: with_vector(line, packed(1, 2, 3)), REFUSED),
    "three bytes": (lambda line: with_vector(line, base64.b64encode(b"abc").decode()), REFUSED),
    "no data": (lambda line: changed(line, lambda said: said["response"]["body"].pop("data")), REFUSED),
    "a response that is a list": (lambda line: changed(line, lambda said: said.update(response=[1])), REFUSED),
    "floats": (lambda line: with_vector(line, [0.1] * 64), TAKEN),
    "no usage": (lambda line: changed(line, lambda said: said["response"]["body"].pop("usage")), TAKEN),
    "twice": (lambda line: line + b"\n" + line, TAKEN),
    "another's id": (lambda line: changed(line, lambda said: said.update(custom_id="another")), ASKED_AGAIN),
    "cut off": (lambda line: line[:-5], ASKED_AGAIN),
    "a number": (lambda _: b"7", ASKED_AGAIN),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_line_concerns_its_own_text_alone(some, service, odd):
    """35 papers, three batches of ten, one odd line in the first: all others land; what says nothing is asked again."""
    change, becomes = ODD[odd]
    finish, done = service.batches._finish, []

    def oddly(batch):
        finish(batch)
        if not done:
            done.append(name := batch["output_file_id"])
            lines = service.batches.files[name].splitlines()
            service.batches.files[name] = b"\n".join([*lines[:2], change(lines[2]), *lines[3:]])

    service.batches._finish = oddly
    for _ in range(3):
        await enrich()
    [version] = await versions.every()
    assert version.problem is None
    assert version.texts == (34 if becomes else 35)
    refused = await refusals.of_model(version.model_id, 10, None)
    assert [str(becomes) in one.reason for one in refused] == [True] * bool(becomes)
    assert {one["state"] for one in await noted()} == {"ended"}
    assert any("1 lines of its answer name no text" in one["reason"] for one in await noted()) is (becomes is None)


async def test_one_batch_that_cannot_be_fetched_holds_up_no_other(some, service, monkeypatch):
    await enrich()
    look, broken = OpenAiBatches.look, []

    async def first_is_broken(self, remote_id):
        if remote_id in broken or not broken:
            broken.append(remote_id)
            raise AttributeError("usage")
        return await look(self, remote_id)

    monkeypatch.setattr(OpenAiBatches, "look", first_is_broken)
    with pytest.raises(AttributeError):
        await batches.work(await share())
    assert [one["embedded"] for one in await noted()].count(10) == 2
