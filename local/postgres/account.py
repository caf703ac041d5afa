"""Which operating-system user runs PostgreSQL, and where that user can reach programs and data.

PostgreSQL refuses to run as root, so under root it runs as `nobody`. That user must be able to walk to its files.
Making the caller's folders walkable would open them to every other user too, so what is out of reach moves to STATE.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

STATE = Path("/var/lib/manifold")
"""Root's data that `nobody` has to reach. Not /var/tmp: what clears that by age would delete parts of a database."""

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Account:
    """The user and group that PostgreSQL runs as; None stands for the caller's own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def owner(self) -> int:
        """The user id that this account's files have."""
        return os.geteuid() if self.uid is None else self.uid

    def run(self, argv: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account, with its output captured. The caller looks at the return code."""
        return subprocess.run(  # noqa: S603 - PostgreSQL's programs and test(1), no input of a user
            argv,
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def reaches(self, path: Path) -> bool:
        """Say whether this account can walk to `path` and list or execute it. `path` must exist."""
        if self.uid is None:
            return True
        return self.run(["test", "-r", str(path), "-a", "-x", str(path)]).returncode == 0

    def own(self, folder: Path) -> None:
        """Make an empty folder this account's alone."""
        folder.mkdir(mode=0o700)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


def caller_account() -> Account:
    """Return the caller's own account, or `nobody` when the caller is root."""
    if os.geteuid() != 0:
        return Account()
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return Account(entry.pw_uid, entry.pw_gid)


def reachable_data(account: Account, wanted: Path, service: str = "postgres", *, apart: bool = False) -> Path:
    """Return where a service's data folder `wanted` really lies: there, or in the folder of the system's state.

    The latter where the account cannot get there, or where new data has to lie `apart` from what is around it.

    A data folder there is linked from `wanted`. Whoever deletes the link has thrown the data away: the next start finds
    no link and begins afresh.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    there = wanted.is_dir() and not wanted.is_symlink() and any(wanted.iterdir())
    if account.reaches(wanted.parent) and (not apart or there):
        return wanted
    moved = _state() / f"{service}-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"
    if not wanted.is_symlink():
        shutil.rmtree(moved, ignore_errors=True)
        if wanted.exists():
            wanted.rmdir()  # an empty folder may be replaced; data that the account cannot reach is not thrown away
        wanted.symlink_to(moved)
    return moved


def reachable_programs(account: Account, bin_folder: Path, libraries: Path, version: str) -> Path:
    """Return a bin folder that the account can execute: the given one, or a copy of the installation under STATE.

    The programs find their files relative to themselves, so the copy keeps the layout of the package.
    """
    if account.reaches(bin_folder / "postgres"):
        return bin_folder
    package = bin_folder.parent.parent
    copy = _state() / f"programs-{version}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(bin_folder.parent, unfinished / package.name / bin_folder.parent.name, symlinks=True)
        shutil.copytree(libraries, unfinished / libraries.name)
        try:
            unfinished.rename(copy)
        except OSError:  # another start was faster, and its copy is as good
            shutil.rmtree(unfinished)
    return copy / bin_folder.relative_to(package.parent)


def _state() -> Path:
    own = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "manifold"
    folder = STATE if os.geteuid() == 0 else own
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    return folder
