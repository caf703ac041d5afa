"""A new map is turned, mirrored, scaled and shifted onto the one before, so that papers stay where they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

MOST_MOVED: Final = 0.01
"""Median way of the papers that are on the map before, as a share of its longer side: they are kept on such a leash."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How positions of a fit become positions of a map: scaled, turned, shifted."""

    scale: float
    turn: Any
    shift: Any

    def apply(self, positions: Any) -> Any:
        """The positions of a fit as positions of the map."""
        return (np.asarray(positions, np.float64) @ self.turn * self.scale + self.shift).astype(np.float32)


def first(positions: Any) -> Alignment:
    """The alignment of a map that has none before: its middle becomes 0, its longer half side 1."""
    low, high = np.min(positions, axis=0), np.max(positions, axis=0)
    widest = float((high - low).max()) / 2 or 1.0
    return Alignment(1 / widest, np.eye(2), -(low + high) / 2 / widest)


def onto(positions: Any, before: Any) -> Alignment:
    """The alignment that brings rows nearest to where the same rows were before: orthogonal Procrustes with a scale."""
    now, then = np.asarray(positions, np.float64), np.asarray(before, np.float64)
    now_middle, then_middle = now.mean(axis=0), then.mean(axis=0)
    left, sizes, right = np.linalg.svd((now - now_middle).T @ (then - then_middle))
    spread = float(((now - now_middle) ** 2).sum())
    if not spread or not sizes.sum():
        return Alignment(1.0, np.eye(2), then_middle - now_middle)
    turn, scale = left @ right, float(sizes.sum()) / spread
    return Alignment(scale, turn, then_middle - now_middle @ turn * scale)


def moved(now: Any, before: Any, widest: float) -> float:
    """The median way of the rows from where they were, as a share of the map's longer side."""
    return float(np.median(np.linalg.norm(np.asarray(now) - np.asarray(before), axis=1)) / widest) if len(now) else 0.0


def leash(now: Any, before: Any, widest: float) -> float:
    """The part of their ways that rows may go, so that the median of these is MOST_MOVED at most."""
    way = moved(now, before, widest)
    return MOST_MOVED / way if way > MOST_MOVED else 1.0


def held(positions: Any, before: Any) -> Any:
    """The positions, with the rows that were on the map before taken back towards their places, if they went too far.

    Args:
        positions: of all rows, aligned.
        before: where the map before has them, NaN where it has not.
    """
    common = ~np.isnan(before[:, 0])
    then, now = before[common].astype(np.float64), np.asarray(positions)[common]
    widest = float(np.ptp(then, axis=0).max()) or 1.0
    after = np.array(positions)
    after[common] = then + (now - then) * leash(now, then, widest)
    return after
