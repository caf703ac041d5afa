"""What to run when a deployment names no command: told by the files at the top of its source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast


class NoRecipeError(Exception):
    """The source does not tell how it is started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands in words: those of the build, one after another, and the one that starts the app."""

    build: tuple[tuple[str, ...], ...]
    start: tuple[str, ...]


def recipe(source: Path, build: tuple[str, ...], start: tuple[str, ...], port: str = "PORT") -> Recipe:
    """The commands of the deployment where it gives them, else what the source's kind calls for.

    `port` stands for the port in a start command, as in a static site's.

    Raises:
        NoRecipeError: there is no start command, and none can be told from the source.
    """
    usual = _usual(source, port)
    if not start and usual is None:
        raise NoRecipeError("the source has no package.json with a start script, app.py, main.py or index.html")
    return Recipe((build,) if build else usual.build if usual else (), start or (usual.start if usual else ()))


def _usual(source: Path, port: str) -> Recipe | None:
    if (source / "package.json").is_file():
        scripts = _scripts(source / "package.json")
        if "start" in scripts:
            build = (("npm", "run", "build"),) if "build" in scripts else ()
            return Recipe((("npm", "install"), *build), ("npm", "start"))
    for name in ("app.py", "main.py"):
        if (source / name).is_file():
            if not (source / "requirements.txt").is_file():
                return Recipe((), ("python", name))
            install = (".venv/bin/python", "-m", "pip", "install", "--requirement", "requirements.txt")
            return Recipe((("python", "-m", "venv", ".venv"), install), (".venv/bin/python", name))
    if (source / "index.html").is_file():
        return Recipe((), ("python", "-m", "http.server", "--bind", "127.0.0.1", port))
    return None


def _scripts(package: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(package.read_text())
    except ValueError:
        return {}
    scripts: Any = cast("dict[str, Any]", found).get("scripts") if isinstance(found, dict) else None
    return cast("dict[str, Any]", scripts) if isinstance(scripts, dict) else {}
