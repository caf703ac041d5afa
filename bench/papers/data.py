"""Made-up papers out of the sentences of real ones: no text is repeated, and words stand where words of papers do."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared.papers.embedding.embedders.static import StaticEmbedder

EXAMPLES = Path(__file__).parents[2] / "examples/papers"
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
SHORTEST = 40
"""Characters of a sentence; shorter ones are crumbs of formulas."""
RECORDS_OF_A_TOPIC = 8
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


@dataclass(frozen=True, slots=True)
class Pool:
    """The sentences of the example records.

    Attributes:
        sentences: all of them.
        topics: for each record the numbers of its sentences and of those of the records nearest to it.
        tokens: of each sentence, by the static model.
    """

    sentences: list[str]
    topics: list[list[int]]
    tokens: list[list[int]]


def pool() -> Pool:
    """The pool out of which papers are made."""
    snapshot = [json.loads(line) for line in (EXAMPLES / "arxiv-snapshot.jsonl").read_text().splitlines()]
    packed = gzip.decompress((EXAMPLES / "arxiv-listing.jsonl.gz").read_bytes())
    texts = [one["abstract"] for one in snapshot] + [json.loads(line)["summary"] for line in packed.splitlines()]
    parted = [[" ".join(one.split()) for one in _SENTENCE.split(text)] for text in texts]
    kept = [[one for one in record if len(one) > SHORTEST] for record in parted]
    found = [one for record in kept for one in record]
    model = StaticEmbedder.loaded()
    tokens = [one.ids for one in model.tokenizer.encode_batch(found, add_special_tokens=False)]
    ends = list(itertools.accumulate(map(len, kept)))
    numbers = [list(range(end - len(record), end)) for end, record in zip(ends, kept, strict=True)]
    words: list[list[int]] = [[token for one in record for token in tokens[one]] or [0] for record in numbers]
    own = [model.word_vectors[record].mean(axis=0) for record in words]
    apart = np.array(own) - np.mean(own, axis=0)
    apart /= np.linalg.norm(apart, axis=1, keepdims=True)
    nearest: list[list[int]] = np.argsort(-(apart @ apart.T), axis=1)[:, :RECORDS_OF_A_TOPIC].tolist()
    return Pool(found, [[one for record in row for one in numbers[record]] for row in nearest], tokens)


def papers(count: int, pool: Pool, seed: int = 1) -> Iterator[MadeUp]:
    """So many papers, the same for the same seed.

    A paper has sentences of one real record and of those nearest to it, as a paper is about something: sentences of all
    fields in one text would be near to no other text, and neighbours of such are what no search finds.
    """
    chosen = random.Random(seed)
    for number in range(count):
        topic = chosen.choice(pool.topics)
        picked = [chosen.choice(topic) for _ in range(SENTENCES + 1)]
        words = pool.sentences[picked[0]].split()[:10]
        yield MadeUp(
            number=number,
            title=f"{' '.join(words)} {number}",
            abstract=" ".join(pool.sentences[one] for one in picked[1:]),
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


def vectors_of(pool: Pool, table: Any, made: list[MadeUp]) -> Any:
    """The vectors of papers as the static model computes them: the mean of the vectors of their tokens.

    Tokens of a sentence are looked up once and not once a paper, which makes a million papers in a minute.
    """
    sums = np.array([table[one].sum(axis=0) for one in pool.tokens])
    counts = np.array([len(one) for one in pool.tokens])
    rows = np.array([paper.sentences for paper in made])
    means = sums[rows].sum(axis=1) / counts[rows].sum(axis=1, keepdims=True)
    return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
