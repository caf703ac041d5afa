"""Reading what a source declares, as people's tools write it: with byte order marks, in UTF-16, or not at all."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, cast

READ_BYTES: Final = 1_000_000
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NAME: Final = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def read_text(path: Path) -> str:
    """The file's beginning as text; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(READ_BYTES)
    except OSError:
        return ""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if it is none."""
    try:
        found: Any = json.loads(read_text(path))
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; empty if it cannot be read."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def table(found: dict[str, Any], *names: str) -> dict[str, Any]:
    """The table at the end of the names; empty if there is none."""
    for name in names:
        inner = found.get(name)
        found = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return found


def requirement_names(lines: list[str]) -> set[str]:
    """The packages that requirements name, in their normal form."""
    found = (_NAME.match(line) for line in lines)
    return {re.sub(r"[-_.]+", "-", one.group(1)).lower() for one in found if one}
