"""Watches an app's files, so that its functions can be loaded anew."""

from collections.abc import AsyncIterator
from pathlib import Path

import watchfiles

_SETTINGS = {"host.json", "local.settings.json"}


class _AppFiles(watchfiles.DefaultFilter):
    """Python files and settings, but not the host's own data nor environments."""

    ignore_dirs = (*watchfiles.DefaultFilter.ignore_dirs, ".local", ".python_packages", "venv", ".venv")

    def __call__(self, change: object, path: str) -> bool:
        """Whether the change matters to the app."""
        name = Path(path).name
        return (name.endswith(".py") or name in _SETTINGS) and super().__call__(change, path)  # pyright: ignore[reportArgumentType] - the kind of change is passed through


async def changes(folder: Path) -> AsyncIterator[list[str]]:
    """The names of changed files, gathered until there is a short quiet."""
    async for batch in watchfiles.awatch(folder, watch_filter=_AppFiles(), debounce=300, step=50, recursive=True):
        yield sorted({str(Path(path).relative_to(folder)) for _, path in batch})
