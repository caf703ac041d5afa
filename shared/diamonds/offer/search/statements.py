"""The statements of a search. Their text is made of this module's own fragments; what a caller sent is a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shared.diamonds.ingestion.vocabulary import known_shape
from shared.diamonds.offer.search.classes import CARAT_BOUNDS, PRICE_BOUNDS, classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.diamonds.offer.search.cursor import Cursor
    from shared.diamonds.offer.search.query import Search

SAMPLED: Final = 32
"""One diamond in so many is in the sample (index diamonds_sample)."""
SAMPLE_HITS: Final = 2_000
"""The sample, which is in no order, is read until so many fit."""

_CONDITIONS: Final = {
    "shape": "shape = %(shape)s",
    "color": "color = %(color)s",
    "clarity": "clarity = %(clarity)s",
    "cut": "upper(cut) = %(cut)s",
    "lab_grown": "lab_grown = %(lab_grown)s",
    "carat_min": "carats >= %(carat_min)s",
    "carat_max": "carats <= %(carat_max)s",
    "price_min": "price_model_price >= %(price_min)s",
    "price_max": "price_model_price <= %(price_max)s",
    "retail_min": "retail_price >= %(retail_min)s",
    "retail_max": "retail_price <= %(retail_max)s",
    "availability": "diamonds.availability_now(availability, hold_expires_at, feed_availability) = %(availability)s",
    "certificate_lab": "certificate_lab = %(certificate_lab)s",
    "certificate_number": "certificate_number = %(certificate_number)s",
}
# These say nothing new, but let the indexes that sort by a grade begin where the color or clarity does.
_GRADES: Final = {
    "color": "color_grade = diamonds.color_grade(%(color)s)",
    "clarity": "clarity_grade = diamonds.clarity_grade(%(clarity)s)",
}
_RANGES: Final = ("carat_min", "carat_max", "price_min", "price_max")
_KEYS: Final = {
    "created_at": ("created_at", "timestamptz"),
    "price_model_price": ("price_model_price", "numeric"),
    "carats": ("carats", "numeric"),
    "color": ("color_grade", "smallint"),
    "clarity": ("clarity_grade", "smallint"),
}
COLUMNS: Final = """d.id, d.feed, d.supplier_stone_id, d.offer_id, d.shape, d.carats::float8, d.color,
    d.fancy_color, d.fancy_intensity, d.fancy_overtone, d.clarity, d.cut, d.polish, d.symmetry, d.fluorescence,
    d.lab_grown, d.lab_grown_type, d.treated, d.price_model_price::float8,
    d.price_per_carat::float8, d.retail_price::float8, d.markup_ratio::float8, d.rating,
    diamonds.availability_now(d.availability, d.hold_expires_at, d.feed_availability) as availability,
    d.image_url, d.video_url, d.certificate_lab, d.certificate_number, d.certificate_url, d.measurements::text,
    d.attributes::text,
    d.supplier_name, d.created_at, d.updated_at"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named parameters."""

    text: str
    parameters: Mapping[str, Any]


def sample(search: Search) -> Statement:
    """About how many diamonds fit, as `fitting`: from those in the sample that do, and how far it was read for them."""
    where, parameters = _where(search)
    return Statement(
        f"""
        select case
            when count(*) < {SAMPLE_HITS} then {SAMPLED} * count(*)
            else ({SAMPLED} * count(*) / ((max(place) + 2^31) / 2^32))::bigint
        end as fitting
        from (
            select hashint8(id) as place from diamonds.diamonds where {where} and hashint8(id) %% {SAMPLED} = 0
            order by hashint8(id) limit {SAMPLE_HITS}
        ) hits
        """,  # noqa: S608 - fragments of this module
        parameters,
    )


def of_few(search: Search, after: Cursor | None) -> Statement:
    """A page of those that fit, found all and sorted, and their number as `total`."""
    where, parameters = _where(search)
    fits = where
    if any(getattr(search, name) is not None for name in _RANGES):
        # Says nothing new, but lets one index narrow down carats and price at once.
        where += " and carat_class = any(%(carat_classes)s)"
        parameters["carat_classes"] = classes(CARAT_BOUNDS, search.carat_min, search.carat_max, search.lab_grown)
    else:
        where = " and ".join([where, *(_GRADES[name] for name in _GRADES if name in parameters)])
    key = _KEYS[search.sort_by][0]
    behind, order = _behind(search, "k", after, parameters), _order(search, "k")
    return Statement(
        f"""
        with found as materialized (select {key} as k, id from diamonds.diamonds where {where}),
        page as (select k, id from found where {behind} order by {order} limit %(rows)s offset %(offset)s)
        {_select(search, "(select count(*) from found)", fits)}
        """,  # noqa: S608 - fragments of this module
        parameters,
    )


def of_many(search: Search, after: Cursor | None) -> Statement:
    """A page of those that fit, read in the wanted order; `total` is null."""
    where, parameters = _where(search)
    fits = where
    if search.sort_by in _GRADES and search.sort_by in parameters:
        where += f" and {_GRADES[search.sort_by]}"
    key = _KEYS[search.sort_by][0]
    behind, order = _behind(search, key, after, parameters), _order(search, "k")
    # Within a class price hardly follows carats. Merged, each class is read only as far as the page needs it; the limit
    # of each tells the planner so, which would rather find and sort all of a class.
    parameters["reach"] = parameters["offset"] + parameters["rows"]
    if search.sort_by == "price_model_price":
        bands = classes(CARAT_BOUNDS, search.carat_min, search.carat_max, search.lab_grown)
        parts = [f"carat_class = {number}" for number in bands]
    elif search.sort_by == "carats":
        bands = classes(PRICE_BOUNDS, search.price_min, search.price_max, search.lab_grown)
        parts = [f"price_class = {number}" for number in bands]
    else:
        parts = ["true"]
    read = f"select k, id from fitting where {{}} order by {order} limit %(reach)s"  # noqa: S608 - fragments of this module
    return Statement(
        f"""
        with fitting as not materialized (
            select {key} as k, id, carat_class, price_class from diamonds.diamonds where {where} and {behind}
        ), page as (
            select k, id from ({" union all ".join(f"({read.format(part)})" for part in parts)}) merged
            order by {order} limit %(rows)s offset %(offset)s
        )
        {_select(search, "null::bigint", fits)}
        """,  # noqa: S608 - fragments of this module
        parameters,
    )


def _where(search: Search) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {name: value for name in _CONDITIONS if (value := getattr(search, name)) is not None}
    conditions = {name: _CONDITIONS[name] for name in parameters}
    if shape := parameters.get("shape"):
        shapes = [known_shape(one) or one.strip() for one in shape.split(",")]
        parameters["shape"] = shapes[0]
        if len(shapes) > 1:
            conditions["shape"] = "shape = any(%(shape)s)"
            parameters["shape"] = shapes
    return " and ".join(["status = 'active'", *conditions.values()]), parameters


# Another offer of the same certificate fits, too, and is better. Asked of a page's diamonds only, each by an index.
# In the inner query the names of `where` are those of the other offer.
_OUTBID: Final = """exists (
        select from diamonds.diamonds other
        where other.certificate_number = d.certificate_number
            and other.certificate_lab is not distinct from d.certificate_lab and {where}
            and (
                diamonds.availability_now(other.availability, other.hold_expires_at, other.feed_availability)
                    <> 'available', other.retail_price, other.id
            ) < (
                diamonds.availability_now(d.availability, d.hold_expires_at, d.feed_availability) <> 'available',
                d.retail_price, d.id
            )
        offset 0
    )"""


def _order(search: Search, key: str) -> str:
    return f"{key} {search.sort_order}, id {search.sort_order}"


def _behind(search: Search, key: str, after: Cursor | None, parameters: dict[str, Any]) -> str:
    """The condition that begins the page where the cursor stands; adds what it and the page's limits need."""
    parameters["rows"] = search.limit + 1  # the one more tells whether there is a next page
    parameters["offset"] = 0 if after else (search.page - 1) * search.limit
    if after is None:
        return "true"
    parameters |= {"after": after.key, "after_id": after.id}
    sign = ">" if search.sort_order == "asc" else "<"
    return f"({key}, id) {sign} (%(after)s::{_KEYS[search.sort_by][1]}, %(after_id)s::bigint)"


def _select(search: Search, total: str, where: str) -> str:
    """The diamonds of the page, or one row with `total` alone if there are none."""
    outbid = _OUTBID.format(where=where) if search.one_per_certificate else "false"
    return (
        f"select counted.total, page.k::text, {outbid} as outbid, {COLUMNS} from (select {total} as total) counted"  # noqa: S608 - fragments of this module
        f" left join page on true left join diamonds.diamonds d on d.id = page.id"
        f" order by {_order(search, 'page.k').replace(', id', ', page.id')}"
    )
