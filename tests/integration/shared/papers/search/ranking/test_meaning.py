"""What a question means, by the version that is searched, or without any."""

import asyncio

import pytest

from orchestrators.papers.embedding import paper_enrich
from shared.papers.embedding import centre, swapping, versions
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import EmbedShare
from shared.papers.search.models import Question
from shared.papers.search.ranking import meaning
from shared.platform.durable import Nothing
from shared.platform.errors import InvalidInput, NotFound, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.search.conftest import DIPHOTON, search, titles
from tests.present import present


class AbsentModel:
    """A model that does not answer."""

    def __init__(self, error):
        self.error, self.calls = error, 0

    async def embed(self, texts):
        self.calls += 1
        if self.error is None:
            await asyncio.sleep(60)
            raise AssertionError("It was waited for.")
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TransientError("busy", code="embedder-busy"), "The model gave no vector for the question (embedder-busy)"),
        (NotFound("404", code="embedder-knows-no-such"), "(embedder-knows-no-such)"),
        (InvalidInput("refused", code="embedder-refuses"), "(embedder-refuses)"),
        (None, "The model did not answer within 0.5 s"),
    ],
)
async def test_without_the_model_papers_are_found_by_their_words_and_names(library, monkeypatch, error, reason):
    absent = AbsentModel(error)
    monkeypatch.setattr(meaning, "embedder", lambda _: absent)
    monkeypatch.setenv("PAPERS_QUERY_SECONDS", "0.5")
    forget_settings()
    found = await search(Question(written="diphoton production", limit=5))
    assert titles(found)[0] == DIPHOTON
    assert found.plan == ["words"]
    [warning] = found.warnings
    assert reason in warning
    assert warning.endswith(": only words were searched.")
    assert absent.calls == 1
    assert (await search(Question(written="0704.0001"))).plan == ["identifier"]
    assert absent.calls == 1, "a name is not embedded"


async def test_before_anything_has_a_vector_words_are_searched_and_it_is_told(papers):
    await papers.ingest(await papers.put("a.jsonl", [record(1, title="Quarks")]))
    found = await search(Question(written="quarks"))
    assert titles(found) == ["Quarks"]
    assert found.warnings == ["No paper has a vector yet: only words were searched."]


async def test_while_another_model_is_built_one_version_is_searched_by_its_own_vectors(library, monkeypatch):
    """At 60 % of the new vectors, behind the swap, and rolled back: the question is embedded by what is searched."""
    written = "diphoton production at hadron colliders"
    before = titles(await search(Question(written=written, limit=5)))
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    forget_settings()
    [building] = [one for one in await versions.ensure() if one.state == "building"]
    await centre.settle(building)
    await fetch(
        "update papers.unembedded set claimed_until = now() + interval '1 hour' where model_id = %s and paper_id in"
        " (select paper_id from papers.unembedded order by paper_id limit 480) returning 1",
        building.model_id,
    )
    await embed_box(EmbedShare(model_id=building.model_id, embedder="hashing"))
    [row] = await fetch(f"select count(*)::int as n from papers.vectors_{building.model_id}")
    assert row["n"] == 720
    assert titles(await search(Question(written=written, limit=5))) == before
    assert not (await swapping.swap(building.model_id, 1.0)).swapped
    await fetch("update papers.unembedded set claimed_until = null returning 1")
    await Player().play(paper_enrich, Nothing())
    assert present(await versions.current()).name == "hashing"
    after = await search(Question(written=written, limit=5))
    assert titles(after)[0].startswith("Calculation of prompt diphoton")
    assert titles(after) != before
    await swapping.roll_back()
    assert titles(await search(Question(written=written, limit=5))) == before
