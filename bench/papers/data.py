"""Made-up papers out of the sentences of real ones: no text is repeated, and words stand where words of papers do."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

EXAMPLES = Path(__file__).parents[2] / "examples/papers"
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
SENTENCES = 6
"""Of an abstract; real ones have about as many."""
SHARES = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001}
"""Categories, and the share of papers that each one has."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A paper and the numbers of the sentences that it is made of."""

    number: int
    title: str
    abstract: str
    categories: list[str]
    year: int
    sentences: list[int]


def sentences() -> list[str]:
    """The sentences of the example records."""
    snapshot = [json.loads(line) for line in (EXAMPLES / "arxiv-snapshot.jsonl").read_text().splitlines()]
    packed = gzip.decompress((EXAMPLES / "arxiv-listing.jsonl.gz").read_bytes())
    texts = [one["abstract"] for one in snapshot] + [json.loads(line)["summary"] for line in packed.splitlines()]
    found = (" ".join(sentence.split()) for text in texts for sentence in _SENTENCE.split(text))
    return sorted({sentence for sentence in found if len(sentence) > 40})


def papers(count: int, pool: list[str], seed: int = 1) -> Iterator[MadeUp]:
    """So many papers, the same for the same seed."""
    chosen = random.Random(seed)
    for number in range(count):
        picked = [chosen.randrange(len(pool)) for _ in range(SENTENCES + 1)]
        words = pool[picked[0]].split()[:10]
        yield MadeUp(
            number=number,
            title=f"{' '.join(words)} {number}",
            abstract=" ".join(pool[one] for one in picked[1:]),
            categories=["every", *(name for name, share in SHARES.items() if chosen.random() < share)],
            year=chosen.randrange(1995, 2026),
            sentences=picked,
        )


def record(paper: MadeUp) -> dict[str, Any]:
    """The paper as a line of arXiv's snapshot."""
    return {
        "id": f"{2000 + paper.number // 100_000}.{paper.number % 100_000:05}",
        "title": paper.title,
        "abstract": paper.abstract,
        "authors_parsed": [[f"Author{paper.number % 5000}", "A.", ""], [f"Second{paper.number % 777}", "B.", ""]],
        "categories": " ".join(paper.categories),
        "update_date": f"{paper.year}-05-06",
    }


def vectors_of(tokens: list[list[int]], table: Any, made: list[MadeUp]) -> Any:
    """The vectors of papers as the static model computes them: the mean of the vectors of their tokens.

    Tokens of a sentence are looked up once and not once a paper, which makes a million papers in a minute.
    """
    sums = np.array([table[one].sum(axis=0) for one in tokens])
    counts = np.array([len(one) for one in tokens])
    rows = np.array([paper.sentences for paper in made])
    means = sums[rows].sum(axis=1) / counts[rows].sum(axis=1, keepdims=True)
    return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
