"""Papers within a rectangle of the current map, as a condition of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.maps.placing import current_version
from shared.papers.maps.versions import MAKE_ONE
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def sides_of(written: str) -> tuple[float, float, float, float]:
    """The rectangle that was written as x1,y1,x2,y2, two opposite corners in any order: x_min, y_min, x_max, y_max.

    Raises:
        InvalidInput: these are not four numbers.
    """
    try:
        x1, y1, x2, y2 = (float(part) for part in written.split(","))
    except ValueError:
        raise InvalidInput(
            "A rectangle has four numbers.",
            field="bbox",
            code="unusable-bbox",
            remedy="Write it like: -0.5,-0.5,0.5,0.5.",
        ) from None
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


async def within(written: str, version: int | None = None) -> tuple[str, Mapping[str, Any]]:
    """The condition over the alias `p` of papers, and its values; without `version` it is that of the current map.

    Raises:
        InvalidInput: the rectangle is unusable, or there is no map.
    """
    sides = sides_of(written)
    version = version or await current_version()
    if version is None:
        raise InvalidInput(
            "There is no map yet, so that no paper lies in a rectangle.",
            field="bbox",
            code="no-map",
            remedy=MAKE_ONE,
        )
    condition = (
        f"exists (select from papers.map_points_{version:d} m where m.paper_id = p.paper_id"
        " and m.x between %(x_min)s and %(x_max)s and m.y between %(y_min)s and %(y_max)s)"
    )
    return condition, dict(zip(("x_min", "y_min", "x_max", "y_max"), sides, strict=True))
