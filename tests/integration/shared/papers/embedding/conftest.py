"""Papers that wait for their vectors, and a model that can be told to fail."""

import pytest
from starlette.applications import Starlette

from local.arm.servers import listening
from local.providers.embeddings import KEY, Embeddings
from orchestrators.papers.embedding import paper_enrich
from shared.papers.embedding import centre, embedding, swapping, versions
from shared.papers.embedding.embedders import ConfiguredModel
from shared.papers.embedding.embedders.hashing import HashingEmbedder
from shared.papers.reporting import alerts
from shared.platform.calls.retry import Backoff
from shared.platform.durable import Nothing
from shared.platform.errors import InvalidInput, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record


class ModelOfTests(HashingEmbedder):
    """Hashed words, in calls of at most ten texts or 2,000 tokens; refuses the texts with a word in them."""

    name = "hashing"
    most_texts = 10
    most_tokens = 2_000
    dollars_per_million = 1.0

    def __init__(self, version="crc32-64"):
        self.version = version
        self.calls = []
        self.failures = 0
        self.refused = "unspeakable"

    async def embed(self, texts):
        self.calls.append(texts)
        assert len(texts) <= self.most_texts
        assert len(texts) == 1 or sum(map(self.tokens, texts)) <= self.most_tokens
        if self.failures:
            self.failures -= 1
            raise TransientError("busy")
        if any(self.refused in text for text in texts):
            raise InvalidInput("this cannot be said")
        return await super().embed(texts)


@pytest.fixture
def model(monkeypatch):
    """The model that the settings name."""
    made = ModelOfTests()
    for module in (versions, swapping):
        monkeypatch.setattr(
            module, "configured_model", lambda: ConfiguredModel(made.name, made.version, made.dimensions)
        )
    monkeypatch.setattr(embedding, "embedder", lambda _: made)
    monkeypatch.setattr(centre, "embedder", lambda _: HashingEmbedder())
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    forget_settings()
    return made


@pytest.fixture
async def service(papers, monkeypatch):
    """The stand-in of OpenAI, which the settings name."""
    found = Embeddings()
    async with listening(Starlette(routes=found.routes())) as port:
        monkeypatch.setenv("PAPERS_EMBEDDER", "openai")
        monkeypatch.setenv("PAPERS_OPENAI_ENDPOINT", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("PAPERS_OPENAI_KEY", KEY)
        monkeypatch.setenv("PAPERS_OPENAI_DIMENSIONS", "64")
        forget_settings()
        yield found


@pytest.fixture
async def some(papers):
    """35 papers."""
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(35)]))
    return papers


async def pauses_end():
    """As if the pauses of refused texts, of problems and of dead workers' claims were over."""
    await fetch("update papers.unembedded set claimed_until = now() - interval '1 second' returning 1")
    await fetch("update papers.models set asked_again_at = now() - interval '1 second' returning 1")


async def enrich():
    return await Player().play(paper_enrich, Nothing())


@pytest.fixture
def sent_alerts(monkeypatch):
    """The alerts that are sent."""
    sent = []

    async def keep(alert):
        sent.append(alert)

    monkeypatch.setattr(alerts, "try_to_send", keep)
    monkeypatch.setattr(embedding, "PATIENCE", Backoff(limit=0, first_delay=0, longest_delay=0, longest_wait=0))
    return sent
