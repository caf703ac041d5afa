"""How a Python source is started: where its app is, and who serves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.deploys.recipes import servers
from shared.deploys.recipes.files import read_text

Words = tuple[str, ...]
_SCRIPTS: Final = ("app.py", "main.py", "server.py", "run.py", "wsgi.py", "asgi.py", "application.py")
_FRAMEWORKS: Final = {
    "fastapi": re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(?:FastAPI|Starlette)\(", re.MULTILINE),
    "flask": re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?Flask\(", re.MULTILINE),
}
_MADE: Final = re.compile(
    r"^(?:(\w+)\s*=\s*(?:\w+\.)?(?:create_app|make_app)|"
    r"(app|application|api)\s*(?::[^=\n]+)?=\s*(?:\w+\.)*[a-z_]*(?:app|application|api|server)[a-z_]*)\(",
    re.MULTILINE,
)
"""An app that is made by a function, as `app = get_application()`."""
_FACTORY: Final = re.compile(r"^def ((?:create|make|get|build)_(?:app|application))\(", re.MULTILINE)
_EVERYWHERE: Final = re.compile(r"0\.0\.0\.0|[\"']::[\"']")
"""A script listens at all addresses: at 127.0.0.1, as frameworks do by themselves, nobody reaches a container."""


def python_start(source: Path, packages: set[str]) -> Words:
    """The words that start the app; none where it is not clear.

    A server that the source declares comes first, then a script that listens by itself, then the framework's server.
    """
    if django := _django(source, packages):
        return django
    listening: Words = ()
    for module, path in _modules(source):
        text = read_text(path)
        app = _app(module, text, packages)
        if app and (declared := _declared(*app, packages)):
            return declared
        by_itself = path.parent == source and "PORT" in text and "__main__" in text
        if by_itself and (app is None or _EVERYWHERE.search(text)):
            listening = listening or ("python", path.name)
            if not servers.NAMES & packages:
                return listening
        elif app:
            return _usual(*app)
    script = next((name for name in ("app.py", "main.py") if (source / name).is_file()), None)
    return listening or (("python", script) if script else ())


def _django(source: Path, packages: set[str]) -> Words:
    """The words that serve Django's project at the root, or in the one folder that `startproject` made there."""
    manage = django_manage(source)
    if manage is None or not (project := _django_project(source / manage.parent)):
        return ()
    by_asgi = servers.asgi(f"{project}.asgi:application", packages)
    has_asgi = (source / manage.parent / project / "asgi.py").is_file()
    served = servers.wsgi(f"{project}.wsgi", packages) or (by_asgi if has_asgi else None)
    if served is None:
        return servers.django(str(manage))
    return ("env", f"PYTHONPATH={manage.parent}", *served) if len(manage.parts) > 1 else served


def django_manage(source: Path) -> Path | None:
    """Where the manage.py of the source is, from its root."""
    candidates = [source / "manage.py"] if (source / "manage.py").is_file() else [*source.glob("*/manage.py")]
    return candidates[0].relative_to(source) if len(candidates) == 1 else None


def _app(module: str, text: str, packages: set[str]) -> tuple[str, str] | None:
    """The framework and the place, `module:name`, of an app that the module defines."""
    for framework, pattern in _FRAMEWORKS.items():
        if match := pattern.search(text):
            return framework, f"{module}:{match.group(1)}"
    framework = next((one for one in ("flask", "fastapi") if one in packages), None)
    if framework and (match := _MADE.search(text)):
        return framework, f"{module}:{match.group(1) or match.group(2)}"
    if framework == "flask" and (match := _FACTORY.search(text)):
        return framework, f"{module}:{match.group(1)}()"
    return None


def _declared(framework: str, app: str, packages: set[str]) -> Words | None:
    return servers.asgi(app, packages) if framework == "fastapi" else servers.wsgi(app, packages)


def _usual(framework: str, app: str) -> Words:
    return servers.usual_asgi(app) if framework == "fastapi" else servers.flask(app)


def _modules(source: Path) -> Iterator[tuple[str, Path]]:
    """Where an app may be defined: scripts at the root first, then in its packages."""
    for name in _SCRIPTS:
        if (source / name).is_file():
            yield name.removesuffix(".py"), source / name
    for folder in sorted(path for path in source.iterdir() if path.is_dir() and path.name.isidentifier()):
        for name in (*_SCRIPTS, "__init__.py"):
            if (folder / name).is_file():
                module = folder.name if name == "__init__.py" else f"{folder.name}.{name.removesuffix('.py')}"
                yield module, folder / name


def _django_project(source: Path) -> str | None:
    projects = sorted(path.parent.name for path in source.glob("*/wsgi.py"))
    return projects[0] if projects else None
