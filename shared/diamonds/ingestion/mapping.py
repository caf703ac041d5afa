"""Where a feed's payload holds what a diamond is made of. Data only: `consolidation` reads it in SQL."""

from __future__ import annotations

from collections.abc import Mapping as Values
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from shared.platform.errors import TerminalError

PriceUnit = Literal["cents", "dollars"]
Path = tuple[str, ...] | None
"""Keys from the payload's root down to a value; None: this feed does not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One path for each thing known about a diamond. A stone without one of the first three cannot be priced.

    Attributes:
        dimensions: text with length, width and depth, such as `3.95 x 3.98 x 2.43`, for feeds that have it in one.
        second_video_url: where the video is if there is no web address at `video_url`.
        vocabulary: what the feed's own terms for shape, lab_grown and availability mean, beside `vocabulary.py`.
    """

    shape: Path
    carats: Path
    price: Path
    color: Path = None
    fancy_color: Path = None
    fancy_intensity: Path = None
    fancy_overtone: Path = None
    clarity: Path = None
    cut: Path = None
    polish: Path = None
    symmetry: Path = None
    fluorescence: Path = None
    lab_grown: Path = None
    lab_grown_type: Path = None
    treated: Path = None
    availability: Path = None
    hold_id: Path = None
    image_url: Path = None
    video_url: Path = None
    second_video_url: Path = None
    certificate_lab: Path = None
    certificate_number: Path = None
    certificate_url: Path = None
    supplier_name: Path = None
    supplier_stock_id: Path = None
    length: Path = None
    width: Path = None
    depth: Path = None
    depth_percentage: Path = None
    table_percentage: Path = None
    eye_clean: Path = None
    brown: Path = None
    green: Path = None
    milky: Path = None
    fluorescence_color: Path = None
    discount: Path = None
    markup_price: Path = None
    dimensions: Path = None
    vocabulary: Values[str, Values[str, str]] = field(default_factory=dict[str, Values[str, str]])

    def at(self, places: Values[str, str]) -> Mapping:
        """The mapping with fields in other places: keys joined by dots; an empty one: the feed does not have it.

        Raises:
            TerminalError: there is no such field (`settings`).
        """
        known = {one.name for one in fields(self)} - {"vocabulary"}
        if unknown := places.keys() - known:
            raise TerminalError(
                f"A feed has no field {', '.join(sorted(unknown))}.",
                code="settings",
                remedy=f"The fields are: {', '.join(sorted(known))}.",
            )
        return replace(self, **{name: tuple(place.split(".")) if place else None for name, place in places.items()})

    def paths(self) -> list[tuple[str, ...]]:
        """Every path that is followed."""
        paths = [getattr(self, one.name) for one in fields(self) if one.name != "vocabulary"]
        return [path for path in paths if path is not None]


def _certificate(key: str) -> Path:
    return ("diamond", "certificate", key)


NIVODA = Mapping(
    shape=_certificate("shape"),
    carats=_certificate("carats"),
    price=("price",),
    color=_certificate("color"),
    fancy_color=_certificate("f_color"),
    fancy_intensity=_certificate("f_intensity"),
    fancy_overtone=_certificate("f_overtone"),
    clarity=_certificate("clarity"),
    cut=_certificate("cut"),
    polish=_certificate("polish"),
    symmetry=_certificate("symmetry"),
    fluorescence=_certificate("floInt"),
    lab_grown=_certificate("labgrown"),
    lab_grown_type=_certificate("labgrown_type"),
    treated=_certificate("treated"),
    availability=("diamond", "availability"),
    hold_id=("diamond", "HoldId"),
    image_url=("diamond", "image"),
    video_url=("diamond", "video"),
    second_video_url=("diamond", "supplier_video_link"),
    certificate_lab=_certificate("lab"),
    certificate_number=_certificate("certNumber"),
    certificate_url=_certificate("pdfUrl"),
    supplier_name=("diamond", "supplier", "name"),
    supplier_stock_id=("diamond", "supplierStockId"),
    length=_certificate("length"),
    width=_certificate("width"),
    depth=_certificate("depth"),
    depth_percentage=_certificate("depthPercentage"),
    table_percentage=_certificate("table"),
    eye_clean=("diamond", "eyeClean"),
    brown=("diamond", "brown"),
    green=("diamond", "green"),
    milky=("diamond", "milky"),
    fluorescence_color=_certificate("floCol"),
    discount=("discount",),
    markup_price=("markup_price",),
)

BRILLIANT = Mapping(
    shape=("cut_shape",),
    carats=("weight_ct",),
    price=("usd_price",),
    color=("colour",),
    fancy_color=("own_colour", "hue"),
    fancy_intensity=("own_colour", "strength"),
    fancy_overtone=("own_colour", "tint"),
    clarity=("purity",),
    cut=("make", "cut"),
    polish=("make", "polish"),
    symmetry=("make", "symmetry"),
    fluorescence=("fluorescence",),
    lab_grown=("origin",),
    availability=("stock",),
    image_url=("photo_url",),
    certificate_lab=("report", "issuer"),
    certificate_number=("report", "number"),
    supplier_name=("vendor",),
    supplier_stock_id=("sku",),
    depth_percentage=("proportions", "depth_pct"),
    table_percentage=("proportions", "table_pct"),
    dimensions=("measurements_mm",),
    vocabulary={
        "shape": {
            "RB": "ROUND",
            "PR": "PRINCESS",
            "OV": "OVAL",
            "CU": "CUSHION",
            "EM": "EMERALD",
            "PS": "PEAR",
            "MQ": "MARQUISE",
            "RA": "RADIANT",
            "AS": "ASSCHER",
            "HE": "HEART",
        },
        "lab_grown": {"laboratory": "true", "natural": "false"},
        "availability": {"in_stock": "AVAILABLE", "reserved": "ON_HOLD", "on_memo": "MEMO", "sold": "SOLD"},
    },
)
