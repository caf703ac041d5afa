"""The statements that map raw rows, and what they take. `mapping.sql` is a part of both."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.diamonds.ingestion.payloads import NO_ID
from shared.diamonds.ingestion.vocabulary import vocabulary

if TYPE_CHECKING:
    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit

Statement = tuple[str, dict[str, Any]]
"""SQL, and those of its parameters that come of how the feed is read."""

_DETAILS = (
    "length", "width", "depth", "depth_percentage", "table_percentage", "dimensions", "eye_clean", "brown", "green",
    "milky", "fluorescence_color", "discount", "markup_price", "image_url", "video_url", "second_video_url",
    "certificate_url",
)  # fmt: skip
_PLACE = "-- mapping.sql stands here\n"
_FIELD = re.compile(r"payload (#>>?) %\((\w+)\)s")
_PLACE_IN_LIST = re.compile(r"\s*[+-]?[0-9]+")
_TYPES = {"->": "jsonb", "->>": "text"}


def consolidation(mapping: Mapping, price_unit: PriceUnit) -> Statement:
    """Claims pending rows, maps and prices them, and writes down what became of each."""
    return _statement("consolidation.sql", mapping, price_unit)


def review(mapping: Mapping, price_unit: PriceUnit) -> Statement:
    """Counts what consolidating pending rows would change.

    No path leads to what is stored and never judged; what has no path costs nothing.
    """
    return _statement("review.sql", mapping, price_unit, without=_DETAILS)


def fingerprint(mapping: Mapping, price_unit: PriceUnit) -> bytes:
    """Of everything that decides whether a payload can be read."""
    return sha256(json.dumps(consolidation(mapping, price_unit), sort_keys=True).encode()).digest()


def _statement(name: str, mapping: Mapping, price_unit: PriceUnit, *, without: tuple[str, ...] = ()) -> Statement:
    paths = {field: path for field, path in asdict(mapping).items() if field != "vocabulary" and field not in without}
    text, keys = followed(_text(name), {field: tuple(path) for field, path in paths.items() if path})
    return text, {
        **keys,
        "vocabulary": json.dumps(vocabulary(mapping.vocabulary)),
        "unit": 100 if price_unit == "cents" else 1,
        "no_id": NO_ID,
    }


@cache
def _text(name: str) -> str:
    """A statement with `mapping.sql` in it, read once: activities ask for it on the event loop."""
    folder = Path(__file__).parent
    return (folder / name).read_text().replace(_PLACE, (folder / "mapping.sql").read_text())


def followed(text: str, paths: dict[str, tuple[str, ...]]) -> Statement:
    """The statement with a step from the nearest object in place of each path from the root, and the steps' keys.

    Many fields lie in few objects. Following each path from the root takes three times as long as finding these first.
    """
    inner = sorted(
        {path[:n] for path in paths.values() for n in range(1, len(path))}, key=lambda path: (len(path), path)
    )
    objects = {(): "payload", **{path: f"object_{number}" for number, path in enumerate(inner)}}
    keys: dict[str, Any] = {}

    def step(path: tuple[str, ...], name: str, arrow: str) -> str:
        if _PLACE_IN_LIST.fullmatch(path[-1]):  # which the arrow does not find by a text
            keys[name] = [path[-1]]
            return f"{objects[path[:-1]]} #{arrow[1:]} %({name})s::text[]"
        keys[name] = path[-1]
        return f"{objects[path[:-1]]} {arrow} %({name})s::text"

    def field(found: re.Match[str]) -> str:
        arrow = found[1].replace("#", "-")
        return step(paths[found[2]], found[2], arrow) if found[2] in paths else f"null::{_TYPES[arrow]}"

    source = "claimed"
    for path in inner:
        name = objects[path]
        follow = step(path, name, "->")
        # Without `offset 0` it would be followed again for each use.
        source = f"(select *, {follow} as {name} from {source} offset 0) with_{name}"  # noqa: S608 - all keys are parameters
    return _FIELD.sub(field, text).replace("from claimed offset 0", f"from {source} offset 0"), keys
