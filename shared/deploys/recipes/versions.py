"""Which version of Node or Python a source asks for, and which of those available is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.deploys.base_images import IMAGES
from shared.deploys.recipes.files import read_json, read_text, read_toml, table

_COMPARATOR: Final = re.compile(
    r"(>=|<=|~=|===?|!=|[\^~<>=])?\s*(?:python-|v)?(\d+(?:\.\d+)*)((?:\.[x*])*)", re.IGNORECASE
)
_SPAN: Final = re.compile(r"(\S+)\s+-\s+(\S+)")
_SHOWN: Final = 40
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """Those available, each with the usual one first: `22` of Node, `3.12` of Python."""

    node: tuple[str, ...] = tuple(IMAGES["node"])
    python: tuple[str, ...] = tuple(IMAGES["python"])


def node_version(source: Path, available: tuple[str, ...]) -> tuple[str, str | None]:
    """The version that the source is built and run by, and what its owner should know."""
    requested = (
        _line(source / ".node-version")
        or _line(source / ".nvmrc")
        or str(table(read_json(source / "package.json"), "engines").get("node") or "")
    )
    return _choose("Node", requested, available, depth=1)


def python_version(source: Path, available: tuple[str, ...]) -> tuple[str, str | None]:
    """As `node_version`."""
    project: dict[str, Any] = read_toml(source / "pyproject.toml")
    requested = (
        _line(source / ".python-version")
        or _line(source / "runtime.txt")
        or table(read_toml(source / "Pipfile"), "requires").get("python_version")
        or table(project, "project").get("requires-python")
        or table(project, "tool", "poetry", "dependencies").get("python")
    )
    return _choose("Python", str(requested or ""), available, depth=2)


def _line(path: Path) -> str:
    """The first line that is no comment."""
    lines = (line.strip() for line in read_text(path).splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _choose(name: str, requested: str, available: tuple[str, ...], depth: int) -> tuple[str, str | None]:
    usual = available[0]
    if not requested or _COMPARATOR.search(requested) is None:  # any, or a name such as lts/*
        return usual, None
    fit = [version for version in available if _fits(_key(version, depth), requested, depth)]
    if usual in fit:
        return usual, None
    if fit:
        return max(fit, key=lambda version: _key(version, depth)), None
    choice = ", ".join(sorted(available, key=lambda version: _key(version, depth)))
    return _nearest(requested, available, depth), (
        f"The source asks for {name} {requested[:_SHOWN]}, which is not there ({choice});"
        f" it is built and run by {name} {_nearest(requested, available, depth)}."
    )


def _nearest(requested: str, available: tuple[str, ...], depth: int) -> str:
    """The oldest that is newer than what is asked for, else the newest: programs seldom run by an older one."""
    comparator = _COMPARATOR.search(requested)
    least = _key(comparator.group(2), depth) if comparator else ()
    newer = [version for version in available if _key(version, depth) >= least]
    by_age = sorted(newer or available, key=lambda version: _key(version, depth))
    return by_age[0] if newer else by_age[-1]


def _fits(version: Key, requested: str, depth: int) -> bool:
    """Whether a release of the version may be meant: as npm, pip and Poetry write ranges."""
    for alternative in requested.split("||"):
        plain = _SPAN.sub(r">=\1 <=\2", alternative)
        if all(_holds(version, comparator, depth) for comparator in _COMPARATOR.finditer(plain)):
            return True
    return False


def _holds(version: Key, comparator: re.Match[str], depth: int) -> bool:
    operator, number, wild = comparator.groups("")
    bound, numbers = _key(number, depth), number.split(".")
    within = any(int(part) for part in numbers[depth:])
    shared = version[: len(bound)]
    if operator in (">=", ">"):
        return shared > bound or (shared == bound and (operator == ">=" or within or len(numbers) < depth))
    if operator in ("<", "<="):
        return shared < bound or (shared == bound and (operator == "<=" or within))
    if operator == "!=":
        return not (shared == bound and (wild or len(numbers) <= depth))
    if operator == "^" or (operator == "~=" and len(numbers) <= depth):
        return shared >= bound and version[0] == bound[0]
    return shared == bound


def _key(version: str, depth: int) -> Key:
    return tuple(int(part) for part in version.split(".")[:depth])
