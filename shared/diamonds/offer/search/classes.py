"""Classes of diamonds: bands of carats, or of price, split into lab-grown and others. Migration 0003 does the same."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CARAT_BOUNDS = tuple(map(Decimal, ("0.3", "0.4", "0.5", "0.7", "0.9", "1", "1.2", "1.5", "2", "3")))
PRICE_BOUNDS = tuple(map(Decimal, (250, 500, 1_000, 1_500, 2_500, 4_000, 6_000, 9_000, 13_000)))

_ORIGINS = {False: (0,), True: (1,), None: (0, 1)}


def classes(
    bounds: Sequence[Decimal], low: Decimal | None, high: Decimal | None, lab_grown: bool | None
) -> Sequence[int]:
    """The numbers of the classes that a range, both ends included, and an origin (None: any) reach into."""
    first = 0 if low is None else bisect_right(bounds, low)
    last = len(bounds) if high is None else bisect_right(bounds, high)
    return [2 * band + origin for band in range(first, last + 1) for origin in _ORIGINS[lab_grown]]
