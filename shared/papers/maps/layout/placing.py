"""A paper lies at the median of those papers of the sample that are nearest to it."""

from __future__ import annotations

from typing import Any

import numpy as np

NEAREST = 25
"""Papers of the sample that say where another one lies."""
_ROWS = 512
"""Compared with the sample at once: as many similarities as fit into a core's memory."""


def unit(vectors: Any) -> Any:
    """The rows with length 1."""
    rows = np.asarray(vectors, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def place(vectors: Any, sample: Any, positions: Any) -> tuple[Any, Any]:
    """Where rows lie, and how near each is to the sample: the mean cosine with its nearest.

    Args:
        vectors: of the papers to place, of length 1.
        sample: the vectors of the sample, of length 1.
        positions: of the sample.
    """
    nearest = min(NEAREST, len(sample))
    places, nearness = np.empty((len(vectors), 2), np.float32), np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), _ROWS):
        rows = slice(begin, begin + _ROWS)
        likeness = vectors[rows] @ sample.T
        closest = np.argpartition(likeness, len(sample) - nearest, axis=1)[:, len(sample) - nearest :]
        places[rows] = np.median(positions[closest], axis=1)
        nearness[rows] = np.take_along_axis(likeness, closest, axis=1).mean(axis=1)
    return places, nearness
