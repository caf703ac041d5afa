"""Which version of Node or Python a source asks for, and which of those that there are is taken."""

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
    """Those that there are, each with the usual one first: `22` of Node, `3.12` of Python."""

    node: tuple[str, ...] = tuple(IMAGES["node"])
    python: tuple[str, ...] = tuple(IMAGES["python"])


def node_version(source: Path, there: tuple[str, ...]) -> tuple[str, str | None]:
    """The version that the source is built and run by, and what its owner should know."""
    wanted = (
        _line(source / ".node-version")
        or _line(source / ".nvmrc")
        or str(table(read_json(source / "package.json"), "engines").get("node") or "")
    )
    return _chosen("Node", wanted, there, depth=1)


def python_version(source: Path, there: tuple[str, ...]) -> tuple[str, str | None]:
    """As `node_version`."""
    project: dict[str, Any] = read_toml(source / "pyproject.toml")
    wanted = (
        _line(source / ".python-version")
        or _line(source / "runtime.txt")
        or table(read_toml(source / "Pipfile"), "requires").get("python_version")
        or table(project, "project").get("requires-python")
        or table(project, "tool", "poetry", "dependencies").get("python")
    )
    return _chosen("Python", str(wanted or ""), there, depth=2)


def _line(path: Path) -> str:
    """The first line that is no comment."""
    lines = (line.strip() for line in read_text(path).splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _chosen(name: str, wanted: str, there: tuple[str, ...], depth: int) -> tuple[str, str | None]:
    usual = there[0]
    if not wanted or _COMPARATOR.search(wanted) is None:  # any, or a name such as lts/*
        return usual, None
    fit = [version for version in there if _fits(_key(version, depth), wanted, depth)]
    if usual in fit:
        return usual, None
    if fit:
        return max(fit, key=lambda version: _key(version, depth)), None
    known = ", ".join(sorted(there, key=lambda version: _key(version, depth)))
    return _nearest(wanted, there, depth), (
        f"The source asks for {name} {wanted[:_SHOWN]}, which is not there ({known});"
        f" it is built and run by {name} {_nearest(wanted, there, depth)}."
    )


def _nearest(wanted: str, there: tuple[str, ...], depth: int) -> str:
    """The oldest that is newer than what is asked for, else the newest: programs seldom run by an older one."""
    found = _COMPARATOR.search(wanted)
    least = _key(found.group(2), depth) if found else ()
    newer = [version for version in there if _key(version, depth) >= least]
    by_age = sorted(newer or there, key=lambda version: _key(version, depth))
    return by_age[0] if newer else by_age[-1]


def _fits(version: Key, wanted: str, depth: int) -> bool:
    """Whether a release of the version may be meant: as npm, pip and Poetry write ranges."""
    for alternative in wanted.split("||"):
        plain = _SPAN.sub(r">=\1 <=\2", alternative)
        if all(_holds(version, found, depth) for found in _COMPARATOR.finditer(plain)):
            return True
    return False


def _holds(version: Key, comparator: re.Match[str], depth: int) -> bool:
    operator, number, wild = comparator.groups("")
    bound, given = _key(number, depth), number.split(".")
    within = any(int(part) for part in given[depth:])
    shared = version[: len(bound)]
    if operator in (">=", ">"):
        return shared > bound or (shared == bound and (operator == ">=" or within or len(given) < depth))
    if operator in ("<", "<="):
        return shared < bound or (shared == bound and (operator == "<=" or within))
    if operator == "!=":
        return not (shared == bound and (wild or len(given) <= depth))
    if operator == "^" or (operator == "~=" and len(given) <= depth):
        return shared >= bound and version[0] == bound[0]
    return shared == bound


def _key(version: str, depth: int) -> Key:
    return tuple(int(part) for part in version.split(".")[:depth])
