"""Where a fit begins: at the two widest directions of the vectors, or where the map before has the papers."""

from __future__ import annotations

from typing import Any

import numpy as np


def principal(vectors: Any) -> Any:
    """The rows in the two directions in which they differ most, with a standard deviation of 1 in the first.

    The directions' signs are fixed, so that the same vectors lie the same way each time.
    """
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)
    positions = np.zeros((len(centred), 2))
    positions[:, : axes.shape[1]] = centred @ axes
    return (positions / (positions[:, 0].std() or 1.0)).astype(np.float32)


def continued(before: Any, neighbours: Any) -> Any:
    """Positions of all rows: of some `before` has them, and NaN for the others, which lie amid neighbours that it has.

    Rows without such a neighbour are placed once theirs are; what is never reached lies in the middle.
    """
    positions = np.array(before, np.float32)
    while (missing := np.flatnonzero(np.isnan(positions[:, 0]))).size:
        near = positions[neighbours[missing]]
        reached = ~np.isnan(near[:, :, 0]).all(axis=1)
        if not reached.any():
            positions[missing] = np.nanmedian(positions, axis=0) if missing.size < len(positions) else 0.0
            break
        positions[missing[reached]] = np.nanmedian(near[reached], axis=1)
    return positions
