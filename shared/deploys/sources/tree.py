"""What a source may consist of: plain files and folders, with names that mean the same everywhere, within limits."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from shared.deploys.cancellation import DeploymentCancelled
from shared.platform.errors import InvalidInput
from shared.platform.files import CHUNK_BYTES

_DRIVE = re.compile(r"^[A-Za-z]:")
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a source may be once it is unpacked.

    An instance on Flex Consumption has 0.8 GB of temporary storage. It holds the archive and what comes out of it, then
    that and the packed context of the build, and in the worst case a block of 4 KB more for each entry.

    Attributes:
        entries: files and folders.
        total: bytes of all files.
        file: bytes of one file.
        ratio: bytes unpacked for one byte packed, held once `ratio_from` bytes are unpacked.
        depth: folders inside one another.
    """

    entries: int = 20_000
    total: int = 300_000_000
    file: int = 250_000_000
    ratio: int = 100
    ratio_from: int = 10_000_000
    depth: int = 40


LIMITS = Limits()
LEFT_OUT = frozenset({"node_modules", "__MACOSX", ".venv", "venv", "__pycache__", ".git", ".DS_Store"})
"""What sources bring along and no build needs: installed packages, histories, and notes of file systems."""
LINKS = 1_000
LINK_BYTES = 4_096
"""Of the name that a link leads to."""
LEFT_OUT_ENTRIES = 500_000
"""Entries that may be left out of a source."""


def never() -> bool:
    """What to pass as `cancelled` where nothing cancels it."""
    return False


def refused(name: str, reason: str) -> InvalidInput:
    """The refusal of a source for one of its entries."""
    shown = ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
    return InvalidInput(
        f"The source was refused: the entry {shown} {reason}.",
        field="source",
        code="source-refused",
        remedy="Leave it out, or mend it, and upload the source again.",
    )


def damaged(reason: str) -> InvalidInput:
    """The refusal of an archive that cannot be read."""
    return InvalidInput(
        f"The source was refused: {reason}.",
        field="source",
        code="source-unreadable",
        remedy="Send a zip or a tar.gz that can be unpacked as it is.",
    )


def parts_of(name: str, limits: Limits) -> tuple[str, ...]:
    """The entry's way down from the source's root; empty for the root itself.

    Raises:
        InvalidInput: the name leads outside, or does not mean the same on every system.
    """
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise refused(name, "has control characters or undecodable bytes in its name")
    if "\\" in name:
        raise refused(name, "has a backslash in its name")
    if _DRIVE.match(name):
        raise refused(name, "names a drive")
    if name.startswith("/"):
        raise refused(name, "has an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise refused(name, "leads out of the source")
    if len(parts) > limits.depth:
        raise refused(name, f"is more than {limits.depth} folders deep")
    if any(len(part.encode()) > 255 for part in parts) or len(name.encode()) > 2_000:  # noqa: PLR2004 - file systems'
        raise refused(name, "has too long a name")
    return parts


def _led_to(link: tuple[str, ...], target: str) -> tuple[str, ...] | None:
    """Where in the source a link leads; None: out of it."""
    parts = list(link[:-1])
    for part in target.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if target.startswith("/") or "\0" in target else tuple(parts)


@dataclass
class Tree:
    """A folder that is filled entry by entry, counting what is really written.

    Attributes:
        root: a folder that exists and is empty.
        packed: bytes of the archive, for the ratio; None where there is none.
        cancelled: called between chunks; true ends the work.
    """

    root: Path
    limits: Limits
    packed: int | None = None
    cancelled: Callable[[], bool] = never
    entries: int = 0
    bytes: int = 0
    left_out: int = 0
    _links: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _kinds: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def leaves_out(self, name: str) -> bool:
        """Whether the entry is left out, since no build needs it."""
        if LEFT_OUT.isdisjoint(name.split("/")):
            return False
        self.left_out += 1
        if self.cancelled():
            raise DeploymentCancelled
        if self.left_out > LEFT_OUT_ENTRIES:
            raise refused(name, f"is one more than the {LEFT_OUT_ENTRIES:,} entries that are left out")
        return True

    def link(self, name: str, target: str) -> None:
        """Note a link, by its target's path from the link's folder; `settle_links` copies what it leads to."""
        self._count(name)
        if len(self._links) == LINKS:
            raise refused(name, f"is one more than the {LINKS:,} links that are taken")
        self._links.append((name, target))

    def settle_links(self) -> None:
        """Put a copy of what it leads to in the place of each link; one that leads to nothing is left out.

        Raises:
            InvalidInput: a link leads out of the source.
        """
        waiting = [(name, self._target(name, target)) for name, target in self._links]
        while ready := [one for one in waiting if one[1] in self._kinds]:
            names = [parts_of(name, self.limits) for name, _ in waiting]
            # A folder is copied when the links in it are settled.
            whole = [one for one in ready if not any(name[: len(one[1])] == one[1] for name in names)]
            for name, target in whole or ready:
                self._copy(name, target)
            waiting = [one for one in waiting if one not in (whole or ready)]

    def leads_inside(self, name: str, target: str) -> bool:
        """Whether a link leads to another place in the source, and not to a folder that it lies in."""
        place = _led_to(parts_of(name, self.limits), target)
        return place is not None and parts_of(name, self.limits)[: len(place)] != place

    def _target(self, name: str, target: str) -> tuple[str, ...]:
        place = _led_to(parts_of(name, self.limits), target)
        if place is None:
            raise refused(name, "is a link that leads out of the source")
        return place

    def _copy(self, name: str, target: tuple[str, ...]) -> None:
        within = parts_of(name, self.limits)
        if within[: len(target)] == target:
            raise refused(name, "is a link to a folder that it lies in")
        for place, kind in list(self._kinds.items()):
            if kind == "file" and place[: len(target)] == target:
                path = self.root.joinpath(*place)
                with path.open("rb") as data:
                    executable = bool(path.stat().st_mode & 0o100)
                    self.file("/".join((*within, *place[len(target) :])), data, executable=executable)

    def folder(self, name: str) -> None:
        """Make a folder; one that is there is left as it is."""
        parts = parts_of(name, self.limits)
        if not parts or parts in self._kinds:
            self._count(name)
        self._folders(name, parts)

    def file(self, name: str, data: BinaryIO, *, executable: bool) -> None:
        """Write a file with the mode 755 or 644, whatever the archive asked for."""
        self._count(name)
        parts = parts_of(name, self.limits)
        if not parts:
            raise refused(name, "is a file without a name")
        if parts in self._kinds:
            raise refused(name, f"is there already, as a {self._kinds[parts]}")
        self._folders(name, parts[:-1])
        self._kinds[parts] = "file"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        mode = 0o755 if executable else 0o644
        with os.fdopen(os.open(self.root.joinpath(*parts), flags, mode), "wb") as written:
            size = 0
            while chunk := data.read(CHUNK_BYTES):
                size += len(chunk)
                if size > self.limits.file:
                    raise refused(name, f"is larger than {self.limits.file:,} bytes")
                self.grow(name, len(chunk))
                written.write(chunk)

    def grow(self, name: str, count: int) -> None:
        """Count unpacked bytes; refuse what is too many in all or for the size of the archive."""
        if self.cancelled():
            raise DeploymentCancelled
        self.bytes += count
        if self.bytes > self.limits.total:
            raise refused(name, f"makes the source larger than {self.limits.total:,} bytes")
        if self.packed is not None and self.bytes > max(self.limits.ratio_from, self.limits.ratio * self.packed):
            raise refused(name, f"unpacks to more than {self.limits.ratio} times the size of the archive")

    def _count(self, name: str) -> None:
        if self.cancelled():
            raise DeploymentCancelled
        self.entries += 1
        if self.entries > self.limits.entries:
            raise refused(name, f"is one more than the {self.limits.entries:,} entries that are taken")

    def _folders(self, name: str, parts: tuple[str, ...]) -> None:
        for end in range(1, len(parts) + 1):
            above = parts[:end]
            if above not in self._kinds:
                self._count(name)
            kind = self._kinds.setdefault(above, "folder")
            if kind != "folder":
                raise refused(name, f"needs {'/'.join(above)!r} to be a folder, and it is a file")
        self.root.joinpath(*parts).mkdir(mode=0o755, parents=True, exist_ok=True)
