"""How this platform makes an app of a source: decided by the files at its root, as buildpacks do it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

Command = tuple[str, ...]
PACKAGES = ".venv"
"""Folder of the image that holds an app's Python packages; its programs are found first."""
_PIP: Command = ("python", "-m", "pip", "install")
_NODE_PROGRAMS = frozenset({"node", "npm", "npx"})
_PYTHON_PROGRAMS = frozenset({"python", "python3"})


class NotBuildable(Exception):
    """It cannot be known how the source is built or started; the message says what to add."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands as lists of arguments, since no shell runs them. No start command: the source's files are served."""

    build: tuple[Command, ...]
    start: Command


def recipe(source: Path, build: Command, start: Command) -> Recipe:
    """What to run for the source in this folder; `build` and `start`, where not empty, take the usual one's place.

    Raises:
        NotBuildable: nothing at its root shows what it is, or how it is started.
    """
    names = {path.name for path in source.iterdir() if path.is_file()}
    if "package.json" in names:
        install, usual_build, usual_start = _node(source, names)
    elif names & {"requirements.txt", "pyproject.toml", "app.py", "main.py"}:
        install, usual_build, usual_start = _python(names)
    elif "index.html" in names or (start and start[0] in _NODE_PROGRAMS | _PYTHON_PROGRAMS):
        install, usual_build, usual_start = (), (), ()
    else:
        raise NotBuildable(
            "The source has no package.json, requirements.txt, pyproject.toml, app.py, main.py or index.html at its "
            "root. Add the one that fits."
        )
    chosen = start or usual_start
    is_site = "index.html" in names and not install
    if not chosen and not is_site:
        raise NotBuildable("It is not known how the app is started. Add app.py or main.py, or send a start command.")
    return Recipe((*install, *((build,) if build else usual_build)), chosen)


_Steps = tuple[tuple[Command, ...], tuple[Command, ...], Command]


def _node(source: Path, names: set[str]) -> _Steps:
    scripts = _scripts(source / "package.json")
    install: Command = ("npm", "ci" if "package-lock.json" in names else "install")
    build: tuple[Command, ...] = (("npm", "run", "build"),) if "build" in scripts else ()
    return (install,), build, ("npm", "start") if "start" in scripts else ()


def _python(names: set[str]) -> _Steps:
    script = next((name for name in ("app.py", "main.py") if name in names), None)
    start: Command = ("python", script) if script else ()
    wanted = ("-r", "requirements.txt") if "requirements.txt" in names else (".",)
    if not names & {"requirements.txt", "pyproject.toml"}:
        return (), (), start
    # The packages go beside the app, since no image of its own holds them.
    return (("python", "-m", "venv", PACKAGES), (*_PIP, *wanted)), (), start


def _scripts(package: Path) -> Mapping[str, object]:
    try:
        document: object = json.loads(package.read_bytes())
    except ValueError:
        return {}
    scripts = cast("dict[str, object]", document).get("scripts") if isinstance(document, dict) else None
    return cast("dict[str, object]", scripts) if isinstance(scripts, dict) else {}
