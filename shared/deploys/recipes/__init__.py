"""How a source becomes an app, the same on every platform: told by the files at its root and the deployment's commands.

The dependencies that the source declares are installed first; then the build command runs, or else the script `build`
of package.json. The app is started by the start command, or else by the Procfile, or else as its kind is usually
started. What these commands are is decided here and nowhere else; platforms only run them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from shared.deploys.models.fields import shell_words
from shared.deploys.recipes.files import read_text
from shared.deploys.recipes.node import node_app, with_tools
from shared.deploys.recipes.python import FILES, PIP, python_app
from shared.deploys.recipes.servers import PORT
from shared.deploys.recipes.versions import Versions, node_version, python_version
from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PIP", "PORT", "SITES", "Recipe", "Versions", "Words", "recipe_of"]

Words = tuple[str, ...]
_PROGRAMS: Final[dict[str, Literal["node", "python"]]] = {
    "python": "python",
    "python3": "python",
    "gunicorn": "python",
    "uvicorn": "python",
    "node": "node",
    "npm": "node",
    "npx": "node",
}
SITES: Final = ("public", "dist", "build", "_site", "www")
"""Where the files of a site lie that has no index.html at its root."""
_WEB: Final = re.compile(r"^web\s*:\s*(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands as words, since no shell runs them.

    Attributes:
        runtime: what the app is run by, and installed and built where it is not a site.
        assets: commands of Node that run before all others: those of a site, or of a Python app's assets.
        install: one command after another; they bring what the source depends on.
        build: what runs after them.
        start: runs the app; `$PORT` in it stands for the port. Empty for a site.
        site: the folder whose files are served as they are; None: the app is started.
        node: version of Node, where anything of it runs.
        python: version of Python, as above.
        notes: lines that the owner of the app should read.
    """

    runtime: Literal["node", "python"]
    install: tuple[Words, ...] = ()
    build: tuple[Words, ...] = ()
    start: Words = ()
    assets: tuple[Words, ...] = ()
    site: str | None = None
    node: str = Versions().node[0]
    python: str = Versions().python[0]
    notes: tuple[str, ...] = ()


def recipe_of(source: Path, build: Words = (), start: Words = (), available: Versions | None = None) -> Recipe:
    """The recipe of the source in this folder, with the deployment's own commands where they are not empty.

    `available` are the versions to choose from; None: those of the images that apps are built on in Azure.

    Raises:
        TerminalError: it cannot be told what the source is or how it is started (`unknown-kind`, `no-start-command`),
            its Procfile needs a shell (`shell-command`), or a file that declares it is damaged (`unreadable-file`).
    """
    build = with_tools(source, build, starts=False)
    start = with_tools(source, start or _procfile(source), starts=True)
    recipe = _of(source, build, start)
    if not recipe.start and recipe.site is None:
        raise TerminalError(
            "It is not clear how the app is started.",
            code="no-start-command",
            remedy="Send startCommand, or add a Procfile, app.py, main.py, or a package.json with a start script.",
        )
    return _versioned(source, recipe, available or Versions())


def _versioned(source: Path, recipe: Recipe, available: Versions) -> Recipe:
    node, node_note = node_version(source, available.node)
    python, python_note = python_version(source, available.python)
    uses_node = recipe.runtime == "node" or recipe.assets
    uses_python = recipe.runtime == "python" and recipe.site is None
    version_notes = (node_note if uses_node else None, python_note if uses_python else None)
    return replace(recipe, node=node, python=python, notes=tuple(note for note in version_notes if note))


def _of(source: Path, build: Words, start: Words) -> Recipe:
    built = (build,) if build else None
    is_python = any((source / name).is_file() for name in FILES)
    if (source / "package.json").is_file():
        node = node_app(source)
        steps = (*node.install, *(built or node.build))
        if is_python and (start[:1] == () or start[0] not in ("node", "npm", "npx")):
            python = python_app(source)
            if python.start or start:
                return Recipe(
                    "python",
                    python.install,
                    python.build,
                    start=start or python.start,
                    assets=steps,
                )
        tools_alone = not (node.start or built or node.build)  # whose files are those of a site, as without them
        site = node.site or (_site(source) if tools_alone else None)
        if site and not start:
            return Recipe("python", assets=steps if node.site else (), site=site)
        return Recipe("node", node.install, built or node.build, start or node.start)
    if is_python:
        python = python_app(source)
        site = "." if (source / "index.html").is_file() and not python.install and not python.start else None
        return Recipe("python", python.install, built or python.build, start or python.start, site=site)
    if start and start[0] in _PROGRAMS:
        return Recipe(_PROGRAMS[start[0]], (), built or (), start)
    folder = _site(source)
    if folder is not None:
        return Recipe("python", (), built or (), start, site=None if start else folder)
    raise TerminalError(
        "It is not clear what the source is: it has no package.json, requirements.txt, pyproject.toml, Pipfile, app.py,"
        " main.py or index.html at its root.",
        code="unknown-kind",
        remedy="Add one of these at the root of the source, or name the folder that has it as rootDirectory.",
    )


def _site(source: Path) -> str | None:
    """The folder of a site whose files are served as they are."""
    return next((name for name in (".", *SITES) if (source / name / "index.html").is_file()), None)


def _procfile(source: Path) -> Words:
    match = _WEB.search(read_text(source / "Procfile"))
    if match is None:
        return ()
    command = match.group(1).strip()
    try:
        return shell_words(command)
    except ValueError as refused:
        raise TerminalError(
            f"The Procfile's web command cannot be run: {refused}.",
            code="shell-command",
            remedy=f"Put the commands into a script and start that, or send startCommand{_last_of(command)}.",
        ) from None


def _last_of(command: str) -> str:
    """What to send in place of a list of commands: its last one serves, where that needs no shell."""
    *before, last = re.split(r"\s*(?:&&|;)\s*", command)
    try:
        shell_words(last)
    except ValueError:
        return ""
    return f": {last} (and let buildCommand name a script of what comes before it)" if before else ""
