"""t-SNE in boxes: near papers lie near, and a fit that begins at a map leaves it in place."""

import numpy as np
import pytest
from openTSNE import TSNEEmbedding
from openTSNE.affinity import PerplexityBasedNN

from shared.papers.maps.layout import placing, starting, tsne

NEIGHBOURS = 45
SAMPLE, HELD_OUT = 900, 1_000
WITHIN = 30
"""Papers on the map among which a paper's ten nearest are looked for."""


def exact(vectors, count=NEIGHBOURS):
    """The numbers of the nearest rows of each row, and their distances."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    near = np.argsort(-likeness, axis=1)[:, :count]
    return near, np.sqrt(np.maximum(2 - 2 * np.take_along_axis(likeness, near, axis=1), 0))


def kept(positions, sample_positions, vectors, sample):
    """The share of each row's nearest rows of the sample that are among those nearest to it on the map."""
    true = np.argsort(-(vectors @ sample.T), axis=1)[:, :10]
    away = ((positions[:, None] - sample_positions[None]) ** 2).sum(axis=2)
    shown = np.argsort(away, axis=1)[:, :WITHIN]
    return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(true.tolist(), shown.tolist(), strict=True)])


@pytest.fixture(scope="module")
def vectors():
    """1,900 vectors about 25 subjects, each along lines of its own as texts of a field are."""
    chosen = np.random.default_rng(6)
    subjects = chosen.normal(size=(25, 64))
    lines = chosen.normal(size=(25, 3, 64)) * 0.4
    own = chosen.integers(0, 25, SAMPLE + HELD_OUT)
    along = np.einsum("nk,nkd->nd", chosen.normal(size=(SAMPLE + HELD_OUT, 3)), lines[own])
    return placing.unit(subjects[own] + along + chosen.normal(size=(SAMPLE + HELD_OUT, 64)) * 0.15)


@pytest.fixture(scope="module")
def fitted(vectors):
    """The positions of the sample."""
    sample = vectors[:SAMPLE]
    positions, done = starting.principal(sample), 0
    boxes = 0
    while done < tsne.steps(begun_before=False):
        positions, done = tsne.improve(positions, exact(sample), done, before=None, seconds=1)
        boxes += 1
    assert boxes > 1, "it went on where the box before stood"
    return positions


def test_held_out_papers_lie_as_well_as_the_fit_itself_would_have_put_them(vectors, fitted):
    """At least nine tenths of what openTSNE's own transform keeps of a neighbourhood, which takes far longer."""
    sample, held_out = vectors[:SAMPLE], vectors[SAMPLE:]
    ours, _ = placing.place(held_out, sample, fitted)
    affinities = PerplexityBasedNN(sample, perplexity=15, metric="cosine", method="exact")
    theirs = np.asarray(TSNEEmbedding(fitted.astype(float), affinities).transform(held_out))
    our_share = kept(ours, fitted, held_out, sample)
    assert our_share > 0.9 * kept(theirs, fitted, held_out, sample)
    assert our_share > 3 * kept(np.random.default_rng(7).permutation(ours), fitted, held_out, sample)


def test_a_fit_that_begins_at_a_map_leaves_its_papers_where_they_are(vectors, fitted):
    """A third of the papers is new."""
    grown = vectors[: SAMPLE * 3 // 2]
    before = np.full((len(grown), 2), np.nan, np.float32)
    before[:SAMPLE] = fitted
    near = exact(grown)
    positions = starting.continued(before, near[0])
    done = 0
    while done < tsne.steps(begun_before=True):
        positions, done = tsne.improve(positions, near, done, before=before, seconds=60)
    ways = np.linalg.norm(positions[:SAMPLE] - fitted, axis=1)
    assert np.median(ways) < 0.02 * np.ptp(fitted, axis=0).max()
    assert (positions[SAMPLE:] != starting.continued(before, near[0])[SAMPLE:]).any(), "what is new finds its place"
    shares = [kept(found, positions, some, grown) for found, some in
              ((positions[:SAMPLE], grown[:SAMPLE]), (positions[SAMPLE:], grown[SAMPLE:]))]  # fmt: skip
    assert shares[1] > 0.8 * shares[0], "and lies as well as what was there"
