"""The recipe of an image for a source that brings none: what it is, is told by the files at its root."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shared.deploys.models import DeploymentSpec
from shared.platform.arm import Json
from shared.platform.errors import TerminalError

NAME = "Dockerfile"
NODE, PYTHON = "node:22-slim", "python:3.12-slim"
PIP = ("python", "-m", "pip", "install", "--no-cache-dir")
USER = 10001
"""Apps run as nobody in particular."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How sources of one kind become an image. Commands are words: no shell runs them."""

    image: str
    prepare: tuple[tuple[str, ...], ...]
    start: tuple[str, ...] | None


def complete(folder: Path, spec: DeploymentSpec) -> str:
    """Write the recipe if the source has none; a line that says what was done. Blocks.

    Raises:
        TerminalError: it cannot be told how to build or to start the source (`unknown-kind`, `no-start-command`).
    """
    recipe = folder / NAME
    if recipe.is_file():
        ignored = " Its own Dockerfile is used, so the build command is not run." if spec.build_command else ""
        return f"Building the source's own Dockerfile.{ignored}"
    kind = _kind(folder, spec)
    start = spec.start_command or kind.start
    if not start:
        raise TerminalError(
            "It is not clear how the app is started.",
            code="no-start-command",
            remedy="Send startCommand, or add a Dockerfile.",
        )
    recipe.write_text(_recipe(kind, spec, start))
    return f"The source has no Dockerfile; building it on {kind.image}, to be started by: {' '.join(start)}"


def _kind(folder: Path, spec: DeploymentSpec) -> _Kind:
    def there(name: str) -> bool:
        return (folder / name).is_file()

    runs = spec.start_command[:1]
    scripts = [name for name in ("app.py", "main.py") if there(name)]
    start = ("python", scripts[0]) if scripts else None
    if there("package.json"):
        install = ("npm", "ci") if there("package-lock.json") else ("npm", "install")
        usual = (("npm", "run", "build"),) if "build" in _scripts(folder) and not spec.build_command else ()
        return _Kind(NODE, (install, *usual), ("npm", "start") if "start" in _scripts(folder) else None)
    if there("requirements.txt"):
        return _Kind(PYTHON, ((*PIP, "-r", "requirements.txt"),), start)
    if there("pyproject.toml"):
        return _Kind(PYTHON, ((*PIP, "."),), start)
    if start or runs in (("python",), ("python3",)):
        return _Kind(PYTHON, (), start)
    if runs in (("node",), ("npm",), ("npx",)):
        return _Kind(NODE, (), None)
    if there("index.html"):
        return _Kind(PYTHON, (), ("python", "-m", "http.server", str(spec.port)))
    raise TerminalError(
        "It is not clear what the source is: it has no Dockerfile, package.json, requirements.txt, pyproject.toml, "
        "app.py, main.py or index.html at its root.",
        code="unknown-kind",
        remedy="Add one of these at the root of the source.",
    )


def _scripts(folder: Path) -> Json:
    try:
        found: Json = json.loads((folder / "package.json").read_text())
        return dict(found["scripts"])
    except (ValueError, KeyError, TypeError):
        return {}


def _recipe(kind: _Kind, spec: DeploymentSpec, start: tuple[str, ...]) -> str:
    steps = (*kind.prepare, *((spec.build_command,) if spec.build_command else ()))
    lines = [
        f"FROM {kind.image}",
        "WORKDIR /app",
        "COPY . .",
        *(f"RUN {_words(step)}" for step in steps),
        f"ENV PORT={spec.port}",
        f"EXPOSE {spec.port}",
        f"USER {USER}",
        f"CMD {_words(start)}",
    ]
    return "\n".join(lines) + "\n"


def _words(command: tuple[str, ...]) -> str:
    return json.dumps(list(command))
