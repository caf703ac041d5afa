"""Reading what a source declares, as people's tools write it: with byte order marks, in UTF-16, or not at all."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, cast

from shared.platform.errors import TerminalError

READ_BYTES: Final = 1_000_000
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARING: Final = ("package.json", "package-lock.json", "requirements.txt", "pyproject.toml", "Pipfile", "Procfile")
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


def rewrite_wide(source: Path) -> None:
    """Write what declares the source in UTF-8 where it is in UTF-16: npm and others read nothing else. Blocks."""
    for path in (source / name for name in _DECLARING):
        if path.is_file():
            with path.open("rb") as file:
                wide = file.read(2) in _WIDE
            if wide and path.stat().st_size <= READ_BYTES:
                path.write_bytes(read_text(path).encode())


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no such file.

    Raises:
        TerminalError: it is no JSON, or no object (`unreadable-file`).
    """
    if not path.is_file():
        return {}
    try:
        content: Any = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from None
    if not isinstance(content, dict):
        raise _unreadable(path, "it holds no object")
    return cast("dict[str, Any]", content)


def _unreadable(path: Path, why: str) -> TerminalError:
    return TerminalError(
        f"{path.name} cannot be read: {why}.", code="unreadable-file", remedy=f"Mend {path.name}, and deploy again."
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; empty if there is no such file.

    Raises:
        TerminalError: it is no TOML (`unreadable-file`).
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, str(error)) from None


def table(parent: dict[str, Any], *names: str) -> dict[str, Any]:
    """The table at the end of the names; empty if there is none."""
    for name in names:
        inner = parent.get(name)
        parent = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return parent


def requirement_names(lines: list[str]) -> set[str]:
    """The packages that requirements name, in their normal form."""
    matches = (_NAME.match(line) for line in lines)
    return {re.sub(r"[-_.]+", "-", one.group(1)).lower() for one in matches if one}
