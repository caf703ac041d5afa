"""The real records, with vectors of the model that comes along."""

from pathlib import Path
from typing import Any

import pytest

from orchestrators.papers.embedding import paper_enrich
from shared.papers.search.search import search as answer
from shared.platform.durable import Nothing
from tests.integration.player import Player

EXAMPLES = Path(__file__).parents[5] / "examples/papers"


@pytest.fixture
async def library(papers):
    """1,200 papers of two sources."""
    await papers.ingest(await papers.put("a.jsonl", (EXAMPLES / "arxiv-snapshot.jsonl").read_bytes()))
    listing = (EXAMPLES / "arxiv-listing.jsonl.gz").read_bytes()
    await papers.ingest(await papers.put("b.jsonl.gz", listing), "arxiv-listing")
    await Player().play(paper_enrich, Nothing())
    return papers


async def search(question) -> Any:
    """The answer, whose papers have the fields that were asked for."""
    return await answer(question)


def titles(found):
    return [paper["doctrove_title"] for paper in found.results]


DIPHOTON = "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies"
