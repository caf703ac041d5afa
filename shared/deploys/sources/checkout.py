"""What git has checked out, made a source: links become copies, and what no build needs is left out."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from shared.deploys.sources.tree import LEFT_OUT, LINKS, Limits, parts_of, refused

_LINK = "120000 "
_LINK_CHARACTERS = 4_096


def links_of(listed: str) -> list[str]:
    """The names of the links in the output of `git ls-files --stage -z`."""
    entries = (entry.partition("\t") for entry in listed.split("\0"))
    return [name for about, _, name in entries if about.startswith(_LINK)]


def _follow(folder: Path, names: list[str], limits: Limits) -> None:
    """Put a copy of what it leads to in the place of each link to something inside; others stay files with a name."""
    waiting = {folder / name: folder / name for name in names[:LINKS]}
    for link in waiting:
        text = link.read_text(errors="replace")
        waiting[link] = Path(os.path.normpath(link.parent / text)) if len(text) < _LINK_CHARACTERS else link
    inside = {link: target for link, target in waiting.items() if target.is_relative_to(folder) and target != folder}
    entries, total = _measured(folder)
    for link, target in inside.items():
        seen = {link}
        while target in inside and target not in seen:
            seen.add(target)
            target = inside[target]  # noqa: PLW2901 - a link to a link
        if target in seen or not target.exists() or link.is_relative_to(target):
            continue
        more, weight = _measured(target)
        entries, total = entries + more, total + weight
        name = str(link.relative_to(folder))
        if entries > limits.entries:  # a few links to folders of links double what they hold, again and again
            raise refused(name, f"makes the source hold more than {limits.entries:,} entries")
        if total > limits.total:
            raise refused(name, f"makes the source larger than {limits.total:,} bytes")
        link.unlink()
        if target.is_dir():
            shutil.copytree(target, link)
        else:
            shutil.copy(target, link)


def _measured(path: Path) -> tuple[int, int]:
    """Entries and bytes of a file, or of a folder and what is below it."""
    below = list(path.rglob("*")) if path.is_dir() else []
    return 1 + len(below), sum(one.lstat().st_size for one in (path, *below))


def settle(folder: Path, limits: Limits, links: list[str]) -> None:
    """Drop what is git's own and what no build needs, and hold the rest to what archives are held to. Blocks.

    Raises:
        InvalidInput: an entry is refused, or they are too many or too large.
    """
    shutil.rmtree(folder / ".git")
    _follow(folder, links, limits)
    for path in [path for path in folder.rglob("*") if path.name in LEFT_OUT]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    entries = total = 0
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        parts_of(name, limits)
        found = path.lstat()
        entries, total = entries + 1, total + found.st_size
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise refused(name, "is neither a file nor a folder")
        if entries > limits.entries:
            raise refused(name, f"is one more than the {limits.entries:,} entries that are taken")
        if found.st_size > limits.file or total > limits.total:
            raise refused(name, f"makes the source larger than {limits.total:,} bytes, or is itself over the limit")


def size(folder: Path) -> int:
    """Bytes of all files below the folder, also while git moves them. Blocks."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # git moves its files while it works
                total += os.lstat(os.path.join(base, name)).st_size  # noqa: PTH118 - many files, often
    return total
