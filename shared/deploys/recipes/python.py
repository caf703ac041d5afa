"""Python sources: where they declare their packages, and how these are installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from shared.deploys.recipes import servers
from shared.deploys.recipes.files import read_text, read_toml, requirement_names, table
from shared.deploys.recipes.starting import django_manage, python_start

Words = tuple[str, ...]
PIP: Final = ("python", "-m", "pip", "install")
POETRY, PIPENV = "poetry==2.2.1", "pipenv==2025.0.4"
FILES: Final = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "manage.py", "app.py", "main.py")
_MANIFEST: Final = "ManifestStaticFilesStorage"


@dataclass(frozen=True, slots=True)
class PythonApp:
    """What a Python source asks for."""

    install: tuple[Words, ...]
    build: tuple[Words, ...]
    start: Words


def python_app(source: Path) -> PythonApp:
    """What the Python source in this folder asks for."""
    install, packages = _packages(source)
    start = python_start(source, packages)
    if servers.USUAL_ASGI in start and not packages & {servers.USUAL_ASGI}:
        install = (*install, (*PIP, servers.USUAL_ASGI))
    return PythonApp(install, _build(source), start)


def _packages(source: Path) -> tuple[tuple[Words, ...], set[str]]:
    """The commands that install what is declared, and the names of what that is."""
    if (source / "requirements.txt").is_file():
        names = requirement_names(read_text(source / "requirements.txt").splitlines())
        return ((*PIP, "-r", "requirements.txt"),), names
    if (source / "Pipfile").is_file():
        packages = table(read_toml(source / "Pipfile"), "packages")
        how = "--deploy" if (source / "Pipfile.lock").is_file() else "--skip-lock"  # it makes none for the system
        return ((*PIP, PIPENV), ("python", "-m", "pipenv", "install", "--system", how)), requirement_names([*packages])
    project = read_toml(source / "pyproject.toml")
    declared: Any = table(project, "project").get("dependencies")
    dependencies = [str(one) for one in cast("list[object]", declared)] if isinstance(declared, list) else []
    poetry = table(project, "tool", "poetry")
    if poetry and (not declared or (source / "poetry.lock").is_file()):
        words = ("env", "POETRY_VIRTUALENVS_CREATE=false", "python", "-m", "poetry", "install")
        names = requirement_names([*table(poetry, "dependencies"), *dependencies])
        return ((*PIP, POETRY), (*words, "--only=main", "--no-root", "--no-interaction")), names
    # Run from its folder, an app is no package, and build systems refuse what lies flat beside other folders.
    is_package = (source / "src").is_dir() or bool(table(project, "project").get("scripts"))
    if isinstance(declared, list) and not is_package:
        return ((*PIP, *dependencies),) if dependencies else (), requirement_names(dependencies)
    if is_package or "build-system" in project or (source / "setup.py").is_file():
        return ((*PIP, "."),), requirement_names(dependencies)
    return (), set()


def _build(source: Path) -> tuple[Words, ...]:
    """Django's files are collected where its settings ask for a manifest of them: without it each page fails."""
    manage = django_manage(source)
    if manage is None:
        return ()
    folder = source / manage.parent
    settings = (path for pattern in ("*/settings*.py", "*/settings/*.py") for path in folder.glob(pattern))
    if any(_MANIFEST in read_text(path) for path in settings):
        return (("python", str(manage), "collectstatic", "--noinput"),)
    return ()
