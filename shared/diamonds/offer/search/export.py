"""A search as CSV (RFC 4180), which spreadsheets open without running anything that a supplier wrote."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from shared.diamonds.offer.search.read import find
from shared.platform.printable import cell

if TYPE_CHECKING:
    from shared.diamonds.offer.search.query import Diamond, Export

CHUNK: Final = 1_000
"""Diamonds that are read at once: only their text stays in memory."""

COLUMNS: Final = (
    "id", "feed", "supplier_stone_id", "offer_id", "shape", "carats", "color", "fancy_color", "fancy_intensity",
    "fancy_overtone", "clarity", "cut", "polish", "symmetry", "fluorescence", "lab_grown", "lab_grown_type", "treated",
    "price_model_price", "price_per_carat", "retail_price", "markup_ratio", "rating", "availability", "certificate_lab",
    "certificate_number", "certificate_url", "image_url", "video_url", "supplier_name", "created_at", "updated_at",
)  # fmt: skip
MEASURES: Final = ("length", "width", "depth", "depth_percentage", "table_percentage")


async def write_csv(export: Export) -> tuple[str, str | None]:
    """The diamonds as CSV, and the cursor of those that follow. The line of names comes on the first part alone.

    Raises:
        InvalidInput: the cursor is not one of this list.
    """
    text = StringIO()
    out = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    if export.cursor is None:
        out.writerow((*COLUMNS, *MEASURES))
    left, cursor = export.limit, export.cursor
    while left:
        chunk = export.model_copy(update={"limit": min(CHUNK, left), "cursor": cursor})
        page = await find(chunk)
        out.writerows(map(_line, page.data))
        left -= chunk.limit
        cursor = page.pagination.next
        if cursor is None:
            break
    return text.getvalue(), cursor


def _line(diamond: Diamond) -> list[Any]:
    values = diamond.model_dump(mode="json", include=set(COLUMNS))
    return [_cell(values[name]) for name in COLUMNS] + [_cell(diamond.measurements.get(name)) for name in MEASURES]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return cell(str(value))
