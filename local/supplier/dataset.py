"""The 53,940 real diamonds of ggplot2, with what a supplier knows besides and the data set does not.

Carats, cut, colour, clarity, proportions, measurements and price are real, down to the twenty stones measured as 0 mm.
Shape, origin, certificate, supplier and stock are derived from the stone's place in the data, so every start gives
the same stones.
"""

import csv
from functools import cache
from importlib import metadata
from typing import NamedTuple

_CUT_GRADES = {"Fair": "F", "Good": "GD", "Very Good": "VG", "Premium": "EX", "Ideal": "ID"}
_SHAPES = ("ROUND",) * 13 + ("PRINCESS", "OVAL", "OVAL", "CUSHION", "EMERALD", "PEAR", "RADIANT")
_FINISHES = ("EX", "EX", "EX", "VG", "GD")
_FLUORESCENCE = ("NON",) * 5 + ("FNT", "FNT", "MED", "STG")
_SUPPLIERS = (
    "Antwerp Rough & Polished",
    "Botswana Star",
    "Canada North Gems",
    "Dubai Diamond House",
    "Mumbai Brilliants",
    "Namib Stones",
    "New York Loose Diamonds",
    "Ramat Gan Trading",
    "Surat Exports",
    "Yakutia Cut",
)
FANCY = 499
_AVAILABILITY = ("AVAILABLE",) * 46 + ("ON_HOLD", "ON_HOLD", "MEMO", "MEMO")


class Stone(NamedTuple):
    """What does not change about a diamond: carats, mm, percentages, and its price in the data set in whole dollars."""

    carats: float
    cut: str
    color: str
    clarity: str
    depth_percentage: float
    table: float
    price: int
    length: float
    width: float
    depth: float
    shape: str
    lab_grown: bool
    lab: str
    polish: str
    symmetry: str
    fluorescence: str
    supplier: str
    availability: str
    has_image: bool
    has_video: bool
    eye_clean: str
    tint: str


def mix(number: int) -> int:
    """Return 32 bits that look random but belong to `number` (Knuth's multiplicative hash)."""
    return number * 2654435761 & 0xFFFFFFFF


def fancy(number: int) -> tuple[str, str, str | None] | None:
    """Hue, intensity and overtone of stone `number`, if it is the one in FANCY that has a colour of its own."""
    bits = mix(number + 13)
    if bits % FANCY:
        return None
    pick = bits >> 24
    return ("YELLOW", "PINK")[pick & 1], ("Fancy", "Fancy Intense")[pick >> 1 & 1], (None, "Brownish")[pick >> 2 & 1]


@cache
def load() -> tuple[Stone, ...]:
    """Read the data set from plotnine's wheel, without importing plotnine.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    try:
        files = metadata.files("plotnine") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "diamonds.csv":
            with open(str(file.locate()), newline="", encoding="utf-8") as lines:  # noqa: PTH123 - a PackagePath
                return tuple(_stone(number, row) for number, row in enumerate(csv.DictReader(lines)))
    raise FileNotFoundError("The diamonds are missing: plotnine is not installed. Run `make setup`.")


def _stone(number: int, row: dict[str, str]) -> Stone:
    bits = mix(number + 1)
    # Knuth's hash is strongest in its high bits; each trait takes its own step so that none follows another.
    pick = [mix(bits ^ (trait * 0x9E3779B9)) >> 12 for trait in range(9)]
    lab_grown = pick[1] % 5 == 0
    return Stone(
        carats=float(row["carat"]),
        cut=_CUT_GRADES[row["cut"]],
        color=row["color"],
        clarity=row["clarity"],
        depth_percentage=float(row["depth"]),
        table=float(row["table"]),
        price=int(row["price"]),
        length=float(row["x"]),
        width=float(row["y"]),
        depth=float(row["z"]),
        shape=_SHAPES[pick[0] % len(_SHAPES)],
        lab_grown=lab_grown,
        lab="IGI" if lab_grown else ("GIA", "GIA", "HRD")[pick[2] % 3],
        polish=_FINISHES[pick[3] % len(_FINISHES)],
        symmetry=_FINISHES[pick[4] % len(_FINISHES)],
        fluorescence=_FLUORESCENCE[pick[5] % len(_FLUORESCENCE)],
        supplier=_SUPPLIERS[pick[6] % len(_SUPPLIERS)],
        availability=_AVAILABILITY[pick[7] % len(_AVAILABILITY)],
        has_image=pick[8] % 4 != 0,
        has_video=pick[8] % 3 != 0,
        eye_clean=("100%", "100%", "BORDERLINE", "NO")[pick[8] % 4],
        tint=("NONE", "NONE", "NONE", "LIGHT")[pick[2] % 4],
    )
