"""What suppliers' words mean here, in whatever case, spacing or width they are written (`diamonds.word`)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.diamonds.ingestion.suppliers.trading import Word

_ALSO: Final = {
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
SHAPES: Final = {word: shape for shape, others in _ALSO.items() for word in (shape, *others)}

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
"""Of fancy colours; any other word stays as it is."""

AVAILABILITIES: Final = {
    **dict.fromkeys(("AVAILABLE", "IN_STOCK", "INSTOCK", "GUARANTEED_AVAILABLE", "GUARANTEED"), "available"),
    **dict.fromkeys(("ON_HOLD", "HOLD", "HELD", "RESERVED"), "on_hold"),
    "SOLD": "sold",
}
"""Any other word means that it cannot be had."""

_INVISIBLE: Final = dict.fromkeys(
    (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
NO_WORDS: Final = ("", "NONE", "NULL", "N/A", "-")
"""The same as in `diamonds.word`."""


def known_shape(word: str) -> str | None:
    """The shape that the word means, as a feed's is understood; None for a word that means none."""
    return SHAPES.get(" ".join(unicodedata.normalize("NFKC", word).translate(_INVISIBLE).upper().split()))


def available(word: str, own: Mapping[str, Mapping[str, str]]) -> Word:
    """A feed's word for a stone's availability, in the app's; no word means available, as in `mapping.sql`."""
    plain = " ".join(word.upper().split())
    if plain in NO_WORDS:
        return "available"
    return cast("Word", words(own)["availability"].get(plain.replace(" ", "_").replace("-", "_"), "unavailable"))


def words(own: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The vocabularies by field, with a feed's own words added; keys are in upper case."""
    common = {
        "shape": SHAPES,
        "lab_grown": ORIGINS,
        "fancy_intensity": INTENSITIES,
        "availability": AVAILABILITIES,
    }
    found = {field: {**known, **_upper(own.get(field, {}))} for field, known in common.items()}
    found["availability"] = {
        word.replace(" ", "_").replace("-", "_"): AVAILABILITIES.get(meaning.upper(), "unavailable")
        for word, meaning in found["availability"].items()
    }
    return found


def _upper(own: Mapping[str, str]) -> dict[str, str]:
    return {word.upper(): meaning for word, meaning in own.items()}
