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

_UNSEEN: Final = dict.fromkeys(
    character
    for first, last in (
        (0x1, 0x8), (0xE, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),
        (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
        (0x2800, 0x2800), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    )
    for character in range(first, last + 1)
)  # fmt: skip
"""What words lose: the same as in `diamonds.plain`."""
NO_WORDS: Final = ("", "NONE", "NULL", "N/A", "-")
"""The same as in `diamonds.word`."""


def known_shape(word: str) -> str | None:
    """The shape that the word means, as a feed's is understood; None for a word that means none."""
    return SHAPES.get(plain(word).upper())


def plain(word: str) -> str:
    """The word without what nobody sees, full-width letters and blanks in a row, as `diamonds.plain` makes it."""
    return " ".join(unicodedata.normalize("NFKC", word).translate(_UNSEEN).split())


def available(word: str, own: Mapping[str, Mapping[str, str]]) -> Word:
    """A feed's word for a stone's availability, in the app's; no word means available, as in `mapping.sql`."""
    said = plain(word).upper()
    if said in NO_WORDS:
        return "available"
    return cast("Word", words(own)["availability"].get(said.replace(" ", "_").replace("-", "_"), "unavailable"))


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
