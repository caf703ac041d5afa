"""How a source becomes an app, the same on every platform: told by the files at its root and the deployment's commands.

The dependencies that the source declares are installed first; then the build command runs, or else the script `build`
of package.json; the app is started by the start command, or else as its kind is usually started.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from pathlib import Path

Words = tuple[str, ...]
PIP: Final = ("python", "-m", "pip", "install")
_PROGRAMS: Final[dict[str, Literal["node", "python"]]] = {
    "python": "python",
    "python3": "python",
    "node": "node",
    "npm": "node",
    "npx": "node",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands as words, since no shell runs them.

    Attributes:
        runtime: what the commands are run by.
        install: one command after another; they bring what the source depends on.
        build: what runs after them.
        start: runs the app; empty: there is none, the source's files are to be served as they are.
    """

    runtime: Literal["node", "python"]
    install: tuple[Words, ...]
    build: tuple[Words, ...]
    start: Words


def recipe(source: Path, build: Words = (), start: Words = ()) -> Recipe:
    """The recipe of the source in this folder, with the deployment's own commands where they are not empty.

    Raises:
        TerminalError: it cannot be told what the source is or how it is started (`unknown-kind`, `no-start-command`).
    """
    found = _usual(source, start)
    if not found.start and not start and not _is_site(source, found):
        raise TerminalError(
            "It is not clear how the app is started.",
            code="no-start-command",
            remedy="Send startCommand, or add app.py, main.py, or a package.json with a start script.",
        )
    return Recipe(found.runtime, found.install, (build,) if build else found.build, start or found.start)


def _usual(source: Path, start: Words) -> Recipe:
    def there(name: str) -> bool:
        return (source / name).is_file()

    scripts = [name for name in ("app.py", "main.py") if there(name)]
    run = ("python", scripts[0]) if scripts else ()
    if there("package.json"):
        known = _scripts(source / "package.json")
        install = ("npm", "ci") if there("package-lock.json") else ("npm", "install")
        build = (("npm", "run", "build"),) if "build" in known else ()
        return Recipe("node", (install,), build, ("npm", "start") if "start" in known else ())
    if there("requirements.txt"):
        return Recipe("python", ((*PIP, "-r", "requirements.txt"),), (), run)
    if there("pyproject.toml"):
        return Recipe("python", ((*PIP, "."),), (), run)
    if run:
        return Recipe("python", (), (), run)
    if start and start[0] in _PROGRAMS:
        return Recipe(_PROGRAMS[start[0]], (), (), ())
    if there("index.html"):
        return Recipe("python", (), (), ())
    raise TerminalError(
        "It is not clear what the source is: it has no package.json, requirements.txt, pyproject.toml, app.py, main.py"
        " or index.html at its root.",
        code="unknown-kind",
        remedy="Add one of these at the root of the source.",
    )


def _is_site(source: Path, found: Recipe) -> bool:
    return not found.install and (source / "index.html").is_file()


def _scripts(package: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(package.read_text())
    except ValueError:
        return {}
    scripts: Any = cast("dict[str, Any]", found).get("scripts") if isinstance(found, dict) else None
    return cast("dict[str, Any]", scripts) if isinstance(scripts, dict) else {}
