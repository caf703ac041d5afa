"""The archive that a source comes in, unpacked within limits."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ARCHIVE_BYTES = 500_000_000
UNPACKED_BYTES = 2_000_000_000
ENTRIES = 100_000


class ArchiveRefused(Exception):
    """The archive is damaged, holds what no source holds, or is too large; the message says which."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar.gz of plain files and folders into a new folder; after a refusal it is removed. Blocks.

    Raises:
        ArchiveRefused: see there.
    """
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for entry in _checked(tar):
                _extract(tar, entry, folder)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ArchiveRefused(f"The archive cannot be unpacked: {error}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _checked(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    entries = size = 0
    for entry in tar:
        entries, size = entries + 1, size + entry.size
        if entries > ENTRIES or size > UNPACKED_BYTES:
            raise ArchiveRefused(f"It holds more than {ENTRIES:,} entries or {UNPACKED_BYTES:,} bytes.")
        if not (entry.isreg() or entry.isdir()):
            raise ArchiveRefused(f"{entry.name} is neither a file nor a folder.")
        yield entry


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Write one file or folder. By hand: the library's own filter came with Python 3.11.4, and Debian 12 has 3.11.2."""
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts:
        raise ArchiveRefused(f"{entry.name} would leave the folder.")
    path = folder / name
    if entry.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(entry)
    assert source is not None, "only a link or a folder has no content"
    with source, path.open("xb") as file:
        shutil.copyfileobj(source, file)
    path.chmod(0o755 if entry.mode & stat.S_IXUSR else 0o644)
