"""The bytes that a map is drawn from, as docs/papers-map.md describes them. Pure; numpy loads where they are made."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from shared.papers.maps.models import Extent

BLOCK: Final = 65_536
POINT_BYTES: Final = 7
YEAR_BASE: Final = 1899
OTHER: Final = 255
"""The class of sources that have no number, and the cluster of points that have none."""
SIDES: Final = (32, 64, 128, 256)
_HEADER: Final = struct.Struct("<4sHHIIII4dH6x")
_STEPS: Final = 65_535


@dataclass(frozen=True, slots=True)
class Points:
    """Points as columns of equal length, in the order of their numbers.

    Attributes:
        first: number of the first.
        x, y: positions within the extent.
        classes, clusters: whole numbers up to 255.
        years: 0 for those without a date.
    """

    first: int
    x: Any
    y: Any
    classes: Any
    years: Any
    clusters: Any


def points_file(version: int, extent: Extent, points: Points) -> bytes:
    """The points as they are served."""
    import numpy as np  # noqa: PLC0415 - loads where points are drawn

    count = len(points.x)
    header = _HEADER.pack(b"PMAP", 1, POINT_BYTES, version, points.first, count, BLOCK, *extent.sides(), YEAR_BASE)
    columns: list[Any] = [
        _steps(points.x, extent.x_min, extent.x_max).astype("<u2"),
        _steps(points.y, extent.y_min, extent.y_max).astype("<u2"),
        np.asarray(points.classes).astype("u1"),
        _years(points.years),
        np.asarray(points.clusters).astype("u1"),
    ]
    blocks = [column[begin : begin + BLOCK].tobytes() for begin in range(0, count, BLOCK) for column in columns]
    return b"".join([header, *blocks])


def density_file(version: int, extent: Extent, points: Points) -> bytes:
    """How many points lie where, in cells of four sizes, with what is commonest in each."""
    import numpy as np  # noqa: PLC0415 - as above

    header = _HEADER.pack(b"PDEN", 1, len(SIDES), version, 0, len(points.x), SIDES[0], *extent.sides(), YEAR_BASE)
    parts = [header]
    years = _years(points.years).astype(np.int64)
    for side in SIDES:
        column = _steps(points.x, extent.x_min, extent.x_max).astype(np.int64) * side >> 16
        row = _steps(points.y, extent.y_min, extent.y_max).astype(np.int64) * side >> 16
        cell = row * side + column
        cells = side * side
        dated = np.bincount(cell, years > 0, cells)
        mean = np.bincount(cell, years, cells) / np.maximum(dated, 1)
        parts += [
            np.bincount(cell, minlength=cells).astype("<u4").tobytes(),
            _commonest(cell, points.classes, cells).tobytes(),
            np.rint(mean).astype("u1").tobytes(),
            _commonest(cell, points.clusters, cells).tobytes(),
        ]
    return b"".join(parts)


def _steps(values: Any, low: float, high: float) -> Any:
    """Positions as 65,536 steps from one side of the extent to the other."""
    import numpy as np  # noqa: PLC0415 - as above

    share = (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)
    return np.rint(np.clip(share, 0, 1) * _STEPS)


def _years(years: Any) -> Any:
    """Years as a byte: 1900 to 2154, and 0 for none."""
    import numpy as np  # noqa: PLC0415 - as above

    years = np.asarray(years, np.int64)
    return np.where(years > 0, np.clip(years - YEAR_BASE, 1, 255), 0).astype("u1")


def _commonest(cell: Any, values: Any, cells: int) -> Any:
    """The commonest value of each cell, the smaller one of two; 255 where there is none."""
    import numpy as np  # noqa: PLC0415 - as above

    pairs, counts = np.unique(cell * 256 + np.asarray(values, np.int64), return_counts=True)
    # Of each cell the pair with the highest count comes last, and so stays.
    order = np.lexsort((-(pairs % 256), counts))
    commonest = np.full(cells, OTHER, "u1")
    commonest[pairs[order] // 256] = pairs[order] % 256
    return commonest
