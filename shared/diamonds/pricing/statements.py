"""The statements that map raw rows, and what they take. `mapping.sql` is a part of both."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.diamonds.ingestion.payloads import NO_ID
from shared.diamonds.ingestion.words import words

if TYPE_CHECKING:
    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit

_DETAILS = (
    "length", "width", "depth", "depth_percentage", "table_percentage", "dimensions", "eye_clean", "brown", "green",
    "milky", "fluorescence_color", "discount", "markup_price", "image_url", "video_url", "second_video_url",
    "certificate_url",
)  # fmt: skip
_PLACE = "-- mapping.sql stands here\n"


@lru_cache(maxsize=1)
def consolidation_statement() -> str:
    """Claims pending rows, maps and prices them, and writes down what became of each."""
    return _with_mapping("consolidation.sql")


@lru_cache(maxsize=1)
def review_statement() -> str:
    """Counts what consolidating pending rows would change."""
    return _with_mapping("review.sql")


def parameters(mapping: Mapping, price_unit: PriceUnit, *, details: bool = True) -> dict[str, Any]:
    """What mapping.sql takes.

    Without `details` no path leads to what is stored and never judged; what has no path costs nothing.
    """
    return {
        **{name: path and list(path) for name, path in asdict(mapping).items() if name != "words"},
        **({} if details else dict.fromkeys(_DETAILS)),
        "words": json.dumps(words(mapping.words)),
        "unit": 100 if price_unit == "cents" else 1,
        "no_id": NO_ID,
    }


def fingerprint(mapping: Mapping, price_unit: PriceUnit) -> bytes:
    """Of everything that decides whether a payload can be read."""
    return sha256(
        json.dumps([parameters(mapping, price_unit), consolidation_statement()], sort_keys=True).encode()
    ).digest()


def _with_mapping(name: str) -> str:
    folder = Path(__file__).parent
    return (folder / name).read_text().replace(_PLACE, (folder / "mapping.sql").read_text())
