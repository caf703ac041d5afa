"""The model that comes along finds a paper by its own abstract."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from shared.papers.embedding.embedders.static import StaticEmbedder

LISTING = Path(__file__).parents[6] / "examples/papers/arxiv-listing.jsonl.gz"


@pytest.fixture(scope="module")
def model():
    return StaticEmbedder.loaded()


async def test_vectors_have_length_one_also_of_nothing(model):
    found = await model.embed(["", "a cat", "  ", "\U0001f98a"])
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


async def test_a_title_finds_its_own_abstract_among_hundreds(model):
    """Measured on 1,800 records: the first of ten in 70 % of cases, among the first ten in 92 %."""
    records = [json.loads(line) for line in gzip.decompress(LISTING.read_bytes()).splitlines()[:400]]
    titles = (await model.embed([one["title"] for one in records])).vectors
    abstracts = (await model.embed([one["summary"] for one in records])).vectors
    near = titles @ abstracts.T
    ranks = (near > np.diag(near)[:, None]).sum(axis=1)
    assert (ranks == 0).mean() > 0.7
    assert (ranks < 10).mean() > 0.9


async def test_a_text_that_is_too_long_is_cut_and_told(model):
    found = await model.embed(["word " * 20_000, "word"])
    assert found.cut == [True, False]
    assert found.tokens < 5_000
