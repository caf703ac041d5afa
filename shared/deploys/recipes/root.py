"""Which folder of a source is the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.deploys.recipes import SITES, Words
from shared.deploys.recipes.python import FILES
from shared.platform.errors import TerminalError

DOCKERFILE: Final = "Dockerfile"
_DECLARING: Final = ("package.json", *FILES, "Procfile", DOCKERFILE)
_PROGRAMS: Final = frozenset(
    {".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".rb", ".go", ".rs", ".php", ".java", ".cs", ".sh", ".html"}
)
_LEVELS: Final = 3
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that is the app, and what its owner should know of how it was found."""

    folder: Path
    note: str | None = None


def root_of(folder: Path, root_directory: str | None, commands: Words = ()) -> Root:
    """The folder that is named; if none is, the source's own, or the one in it that alone holds a project. Blocks.

    A single folder at the top, as archives of repositories have, stands for the source. Beside it there may be files
    that are no programs: a README, a licence. A folder that the words of a command name is no app by itself.

    Raises:
        TerminalError: there is no such folder (`root-directory-missing`), or several that may be it (`unknown-kind`).
    """
    if root_directory is not None:
        return Root(_named(folder, root_directory))
    root = _only(folder) or folder
    note = None
    for _ in range(_LEVELS):
        if _declares(root) or any(one.suffix.lower() in _PROGRAMS for one in root.iterdir() if one.is_file()):
            break
        inner = _projects(root)
        if len(inner) != 1 or _names(commands, inner[0].name):
            _check_one(inner, commands)
            break
        [root] = inner
        note = f"The app is the folder {root.relative_to(folder)}, the only one of the source that holds a project."
    return Root(root, note)


def _named(folder: Path, name: str) -> Path:
    inner = [one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")]
    for above in (folder, *(inner if len(inner) == 1 else ())):
        if (above / name).is_dir():
            return above / name
    raise TerminalError(
        f"The source has no folder {name}.",
        code="root-directory-missing",
        remedy="Name a folder of the source as rootDirectory, or leave it out.",
    )


def _only(folder: Path) -> Path | None:
    entries = list(folder.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else None


def _declares(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _DECLARING) or _is_site(folder)


def _is_site(folder: Path) -> bool:
    return any((folder / name / "index.html").is_file() for name in (".", *SITES))


def _projects(folder: Path) -> list[Path]:
    """The folders that hold a project; sites of files count where nothing else does."""
    inner = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    declared = [one for one in inner if any((one / name).is_file() for name in _DECLARING)]
    nested = [one for one in inner if (only := _only(one)) and _declares(only)]
    return declared or [one for one in inner if _is_site(one)] or nested


def _names(commands: Words, folder: str) -> bool:
    return any(word == folder or word.startswith((f"{folder}/", f"./{folder}", f"{folder}.")) for word in commands)


def _check_one(projects: list[Path], commands: Words) -> None:
    if len(projects) > 1 and not commands:
        names = ", ".join(one.name for one in projects[:_SHOWN]) + (", ..." if len(projects) > _SHOWN else "")
        raise TerminalError(
            f"The source holds several projects, in {names}, and none at its root.",
            code="unknown-kind",
            remedy="Name the folder of the app as rootDirectory.",
        )
