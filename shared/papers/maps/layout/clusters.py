"""Regions of the map: fine ones by k-means on the positions, coarser ones by joining what lies nearest (Ward)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

MOST: Final = 200
"""Fine clusters; a point has one byte for its cluster."""
_WIDTH: Final = 5
"""Fine clusters of a coarser one, on average."""
_FEW: Final = 8
"""Clusters that need no coarser level above them."""
_ROUNDS: Final = 50


def sizes(points: int) -> list[int]:
    """How many clusters each level has, the coarsest first."""
    counts = [max(1, min(MOST, int(points**0.5)))]
    while counts[0] >= _FEW:
        counts.insert(0, counts[0] // _WIDTH)
    return counts


def fine(positions: Any, count: int, seed: int, *, before: Any = None) -> Any:
    """The middles of `count` clusters, or of as many as there are different points.

    Those of the map before come first and keep their numbers, so that a region keeps its name.
    """
    random = np.random.default_rng(seed)
    positions = np.asarray(positions, np.float64)
    middles = np.empty((0, 2)) if before is None else np.asarray(before, np.float64)[:count]
    if not len(middles):
        middles = positions[random.integers(len(positions))][None]
    away = _away(positions, middles).min(axis=1)
    while len(middles) < count and away.sum() > 0:
        added = positions[random.choice(len(positions), p=away / away.sum())][None]
        middles = np.concatenate([middles, added])
        away = np.minimum(away, _away(positions, added)[:, 0])
    for _ in range(_ROUNDS):
        own = nearest(positions, middles)
        counts = np.bincount(own, minlength=len(middles))
        sums = np.stack([np.bincount(own, positions[:, axis], len(middles)) for axis in (0, 1)], axis=1)
        after = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], middles)
        if np.allclose(after, middles):
            break
        middles = after
    return middles.astype(np.float32)


def nearest(positions: Any, middles: Any) -> Any:
    """The number of the nearest middle of each row."""
    numbers = [
        _away(positions[begin : begin + 65_536], middles).argmin(axis=1) for begin in range(0, len(positions), 65_536)
    ]
    return np.concatenate(numbers) if numbers else np.empty(0, np.int64)


def joined(middles: Any, weights: Any, count: int) -> list[int]:
    """To which of `count` coarser clusters each cluster belongs: those are joined whose union spreads least."""
    places, sizes_, groups = np.array(middles, np.float64), np.array(weights, np.float64), np.arange(len(middles))
    sizes_ = np.maximum(sizes_, 1)
    alive = list(range(len(places)))
    while len(alive) > count:
        of = np.array(alive)
        cost = _away(places[of], places[of]) * (sizes_[of][:, None] * sizes_[of]) / (sizes_[of][:, None] + sizes_[of])
        np.fill_diagonal(cost, np.inf)
        a, b = sorted(of[list(divmod(int(cost.argmin()), len(of)))])
        places[a] = (places[a] * sizes_[a] + places[b] * sizes_[b]) / (sizes_[a] + sizes_[b])
        sizes_[a] += sizes_[b]
        groups[groups == b] = a
        alive.remove(b)
    return [alive.index(group) for group in groups.tolist()]


def _away(positions: Any, middles: Any) -> Any:
    """The squared distances of rows from middles."""
    return sum((np.asarray(positions)[:, axis, None] - np.asarray(middles)[None, :, axis]) ** 2 for axis in (0, 1))
