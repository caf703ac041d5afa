"""The interpreters that apps find: linked into one folder, where their users can run them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from local.postgres.account import Account

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_MINORS = range(10, 15)
"""Of Python 3: those that sources are built by in Azure."""
_VERSION = re.compile(r"(\d+)\.(\d+)")


def link_programs(folder: Path, account: Account) -> dict[str, list[str]]:
    """Link `python`, `node` and what comes with them, as far as the account can run them; versions, the usual first.

    Blocks.
    """
    shutil.rmtree(folder, ignore_errors=True)  # what was uninstalled is not there any more
    folder.mkdir()
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath), *SYSTEM_PATH))
    base = str(getattr(sys, "_base_executable", sys.executable))
    usual = _link(folder, account, ("python", "python3"), (base, *(f"{one}/python3" for one in SYSTEM_PATH)))
    pythons = [usual] if usual else []
    for name in (f"python3.{minor}" for minor in _MINORS):
        version = _link(folder, account, (name,), (base, *_everywhere(name, path)), name.removeprefix("python"))
        if version and version not in pythons:
            pythons.append(version)
    node = _link(folder, account, ("node",), _everywhere("node", path))
    for name in ("npm", "npx"):
        _link(folder, account, (name,), _everywhere(name, path))
    return {"python": pythons, "node": [node.split(".")[0]] if node else []}


def _everywhere(name: str, path: str) -> list[str]:
    return [program for folder in path.split(os.pathsep) if (program := shutil.which(name, path=folder))]


def _link(
    folder: Path, account: Account, names: tuple[str, ...], candidates: Iterable[str], required: str | None = None
) -> str | None:
    """Link the first that runs, and is of the required version, under each of the names; its version."""
    for one in dict.fromkeys(str(Path(candidate).resolve()) for candidate in candidates):
        version = _version(account, one)
        if version and required in (None, version):
            for name in names:
                _put(folder / name, one)
            return version
    return None


def _put(place: Path, program: str) -> None:
    """A link; for Python a script: an environment that is made by a link looks for its library beside the link."""
    if not place.name.startswith("python"):
        place.symlink_to(program)
        return
    # What shells add to the environment is no app's variable.
    place.write_text(f'#!/bin/sh\nunset PWD OLDPWD SHLVL\nexec {shlex.quote(program)} "$@"\n')
    place.chmod(0o755)


def _version(account: Account, program: str) -> str | None:
    try:
        done = account.run([program, "--version"])
    except OSError:
        return None
    match = _VERSION.search(done.stdout)
    return f"{match.group(1)}.{match.group(2)}" if done.returncode == 0 and match else None
