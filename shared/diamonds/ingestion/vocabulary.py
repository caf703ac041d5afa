"""What suppliers' terms mean here, in whatever case, spacing or width they are written (`diamonds.word`)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.diamonds.models import AvailabilityState

_ALIASES: Final = {
    "ROUND": ("RD", "RB", "BR", "RBC", "ROUND BRILLIANT", "ROUND BRILLIANT CUT", "BRILLIANT", "BRILLIANT ROUND"),
    "PRINCESS": ("PR", "PC", "PRINCESS CUT", "SQUARE MODIFIED BRILLIANT"),
    "EMERALD": ("EM", "EC", "EMERALD CUT"),
    "ASSCHER": ("AS", "AC", "ASSCHER CUT", "SQUARE EMERALD", "SQ EMERALD"),
    "OVAL": ("OV", "OC", "OVAL BRILLIANT", "OVAL MODIFIED BRILLIANT"),
    "CUSHION": ("CU", "CB", "CUSHION BRILLIANT", "CUSHION CUT"),
    "CUSHION MODIFIED": ("CM", "CMB", "CUSHION MODIFIED BRILLIANT"),
    "RADIANT": ("RA", "RADIANT CUT", "RECTANGULAR RADIANT"),
    "SQUARE RADIANT": ("SQ RADIANT",),
    "PEAR": ("PS", "PB", "PEAR BRILLIANT", "PEAR SHAPE", "PEAR MODIFIED BRILLIANT"),
    "MARQUISE": ("MQ", "MB", "MARQUISE BRILLIANT", "MARQUISE MODIFIED BRILLIANT"),
    "HEART": ("HE", "HT", "HB", "HEART BRILLIANT", "HEART SHAPE"),
    "TRILLIANT": ("TR", "TRILLION", "TRIANGLE", "TRIANGULAR", "TRIANGULAR BRILLIANT"),
    "BAGUETTE": ("BG", "BAG", "STRAIGHT BAGUETTE"),
    "TAPERED BAGUETTE": ("TB",),
    **dict.fromkeys(
        ("BRIOLETTE", "BULLET", "CALF", "CARRE", "EUROPEAN", "FLANDERS", "HALF MOON", "HEXAGONAL", "KITE", "LOZENGE",
         "OCTAGONAL", "OLD EUROPEAN", "OLD MINER", "OTHER", "PENTAGONAL", "RECTANGULAR", "ROSE", "SHIELD", "SQUARE",
         "STAR", "TAPERED BULLET", "TRAPEZOID"),
        (),
    ),
}  # fmt: skip
SHAPES: Final = {term: shape for shape, aliases in _ALIASES.items() for term in (shape, *aliases)}

ORIGINS: Final = {
    **dict.fromkeys(("NATURAL", "MINED", "EARTH MINED", "NO", "N", "FALSE", "0"), "false"),
    **dict.fromkeys(
        ("LAB", "LAB GROWN", "LAB-GROWN", "LABGROWN", "LAB_GROWN", "LAB CREATED", "LABORATORY", "LABORATORY GROWN",
         "LABORATORY-GROWN", "SYNTHETIC", "CVD", "HPHT", "YES", "Y", "TRUE", "1"),
        "true",
    ),
}  # fmt: skip

INTENSITIES: Final = {
    "F": "FAINT",
    "VL": "VERY LIGHT",
    "L": "LIGHT",
    **dict.fromkeys(("FCL", "FL", "FANCYLIGHT"), "FANCY LIGHT"),
    **dict.fromkeys(("FC", "FN"), "FANCY"),
    **dict.fromkeys(("INTENSE", "FCI", "FI", "FANCYINTENSE"), "FANCY INTENSE"),
    **dict.fromkeys(("VIVID", "FCV", "FV", "FANCYVIVID"), "FANCY VIVID"),
    **dict.fromkeys(("DEEP", "FCD", "FD", "FANCYDEEP"), "FANCY DEEP"),
    **dict.fromkeys(("DARK", "FCDK", "FDK", "FANCYDARK"), "FANCY DARK"),
}
"""Of fancy colours; any other term stays as it is."""

AVAILABILITIES: Final = {
    **dict.fromkeys(("AVAILABLE", "IN_STOCK", "INSTOCK", "GUARANTEED_AVAILABLE", "GUARANTEED"), "available"),
    **dict.fromkeys(("ON_HOLD", "HOLD", "HELD", "RESERVED"), "on_hold"),
    "SOLD": "sold",
}
"""Any other term means that it cannot be had."""

_INVISIBLE: Final = dict.fromkeys(
    character
    for first, last in (
        (0x1, 0x8), (0xE, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),
        (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
        (0x2800, 0x2800), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    )
    for character in range(first, last + 1)
)  # fmt: skip
"""Characters that are dropped: the same as in `diamonds.plain`."""
NO_VALUE: Final = ("", "NONE", "NULL", "N/A", "-")
"""The same as in `diamonds.word`."""


def known_shape(term: str) -> str | None:
    """The shape that the term means, as a feed's is understood; None for one that means none."""
    return SHAPES.get(plain(term).upper())


def plain(text: str) -> str:
    """The text without what nobody sees, full-width letters and blanks in a row, as `diamonds.plain` makes it."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_INVISIBLE).split())


def availability(term: str, own: Mapping[str, Mapping[str, str]]) -> AvailabilityState:
    """What a feed's term says of a stone's availability; no term means available, as in `mapping.sql`.

    `own` is the feed's own vocabulary by field, as in its `Mapping`.
    """
    normalised = plain(term).upper()
    if normalised in NO_VALUE:
        return "available"
    meaning = vocabulary(own)["availability"].get(normalised.replace(" ", "_").replace("-", "_"), "unavailable")
    return cast("AvailabilityState", meaning)


def vocabulary(own: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What each term means, by field, with a feed's own terms added; terms are in upper case."""
    common = {
        "shape": SHAPES,
        "lab_grown": ORIGINS,
        "fancy_intensity": INTENSITIES,
        "availability": AVAILABILITIES,
    }
    merged = {field: {**terms, **_upper(own.get(field, {}))} for field, terms in common.items()}
    merged["availability"] = {
        term.replace(" ", "_").replace("-", "_"): AVAILABILITIES.get(meaning.upper(), "unavailable")
        for term, meaning in merged["availability"].items()
    }
    return merged


def _upper(own: Mapping[str, str]) -> dict[str, str]:
    return {term.upper(): meaning for term, meaning in own.items()}
