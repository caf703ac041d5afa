"""Folders of deployments, and the user that an app runs as: where the platform is root, each app has its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.apps.plans import PROGRAMS
from local.apps.programs import SYSTEM_PATH, link_programs
from local.host.core.folders import ONLY_MINE
from local.postgres.account import Account, reachable_data

FIRST_UID = 2_000_000
"""Above what distributions and user namespaces give out."""
_WALKED = 0o711
_LINK = "linked-from"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one deployment."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def image(self) -> Path:
        """The source, changed by the build; what runs."""
        return self.root / "image"

    @property
    def scratch(self) -> Path:
        return self.root / "tmp"

    @property
    def build_log(self) -> Path:
        return self.root / "build.log"

    @property
    def app_log(self) -> Path:
        return self.root / "app.log"

    @property
    def orders(self) -> Path:
        """How to start the app, with its variables: for the platform's own user alone."""
        return self.root / "orders.json"

    def make(self, uid: int | None) -> None:
        """Make the folder. The app's user may enter it and change nothing; other apps' users may not enter."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.root.parent.parent, self.root.parent):  # of the organization and of the project
            folder.chmod(ONLY_MINE if uid is None else _WALKED)
        if uid is not None:
            os.chown(self.root, 0, uid)
        self.root.chmod(0o750)

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only the platform's own user may read, whole or not at all."""
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        partial.replace(path)

    def new_image(self, uid: int | None) -> None:
        """Make the image the source as it came, and the scratch folder empty."""
        for folder in (self.image, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.source, self.image, symlinks=True)
        self.scratch.mkdir()
        if uid is not None:
            for base, _, names in os.walk(self.image):
                for path in (base, *(os.path.join(base, name) for name in names)):  # noqa: PTH118 - many files
                    os.chown(path, uid, uid, follow_symlinks=False)
            os.chown(self.scratch, uid, uid)


class Workspaces:
    """All folders below the platform's data folder."""

    def __init__(self, folder: Path) -> None:
        """Make the data folder.

        Where apps' users cannot walk to it, or where it lies in a checkout, it lies elsewhere and is linked from there:
        an app of Node would find the packages of every folder above it.
        """
        self._root = os.geteuid() == 0
        account = Account(FIRST_UID, FIRST_UID) if self._root else Account()
        real = reachable_data(account, folder.absolute(), "apps", apart=_has_packages_above(folder.absolute()))
        real.mkdir(mode=_WALKED, parents=True, exist_ok=True)
        # Apps' own users have to walk through it to their folders; nobody else's may be listed.
        real.chmod(_WALKED if self._root else ONLY_MINE)
        self.folder = folder.absolute()
        if real != self.folder:
            (real / _LINK).write_text(str(self.folder))
            _sweep(real.parent)
        self._programs = real / "bin"
        self.runtimes = link_programs(self._programs, account)
        """Versions of Python and Node that apps can be run by, the usual one first."""

    def uid(self, app: int) -> int | None:
        """The user that the app of this number runs as; None: the platform's own."""
        return FIRST_UID + app if self._root else None

    def workspace(self, organization: str, project: str, deployment: str) -> Workspace:
        return Workspace(self.folder.resolve() / organization / project / deployment)

    def environment(self, workspace: Workspace, variables: Mapping[str, str]) -> dict[str, str]:
        """All that a build or an app finds in its environment: nothing of the platform's own."""
        own_programs = (str(workspace.image / folder) for folder in PROGRAMS)
        path = os.pathsep.join((*own_programs, str(self._programs), *SYSTEM_PATH))
        own = {"PATH": path, "HOME": str(workspace.image), "TMPDIR": str(workspace.scratch), "LANG": "C.UTF-8"}
        return own | {"PYTHONUNBUFFERED": "1"} | dict(variables)


def _has_packages_above(folder: Path) -> bool:
    return any((above / "node_modules").exists() for above in folder.parents)


def _sweep(state: Path) -> None:
    """Delete data folders whose link is gone: whoever deleted it has thrown the data away."""
    for note in state.glob(f"apps-*/{_LINK}"):
        link = Path(note.read_text())
        if not link.is_symlink() or link.resolve() != note.parent:
            shutil.rmtree(note.parent, ignore_errors=True)
