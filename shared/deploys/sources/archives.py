"""Untrusted archives: their content is checked while it is unpacked, and no header is trusted."""

from __future__ import annotations

import gzip
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Self

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.tree import LIMITS, LINK_BYTES, Limits, Tree, damaged, never, parts_of, refused

__all__ = ["LIMITS", "ArchiveKind", "Limits", "Unpacked", "kind_of", "pack", "unpack"]

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b\x08"
_END_RECORD = struct.Struct("<4s4H2LH")
_CATALOGUE_BYTES_AN_ENTRY = 512
_EXTENDED_HEADER_BYTES = 64 * 1024
_TAR_BYTES_AN_ENTRY = 4 * 1024
_EXTENDED_HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


class ArchiveKind(StrEnum):
    """What can be uploaded."""

    ZIP = "zip"
    TAR_GZ = "tar.gz"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive."""

    kind: ArchiveKind
    entries: int
    bytes: int


def kind_of(beginning: bytes) -> ArchiveKind:
    """The kind of an archive by its first bytes; its name says nothing.

    Raises:
        InvalidInput: neither a zip nor a tar.gz.
    """
    if beginning.startswith(_ZIP_MAGIC):
        return ArchiveKind.ZIP
    if beginning.startswith(_GZIP_MAGIC):
        return ArchiveKind.TAR_GZ
    raise damaged("it is neither a zip nor a tar.gz")


def unpack(archive: Path, folder: Path, *, cancelled: Callable[[], bool] = never) -> Unpacked:
    """Unpack into a new folder. Blocks; `cancelled` is called between chunks.

    Taken are files, folders and links inside the source, which become copies. Installed packages and histories are left
    out. Links that lead outside, devices, encrypted and repeated entries are refused, and so is what unpacks to more
    than LIMITS. After a refusal the folder is removed.

    Raises:
        InvalidInput: the archive was refused; the message names the entry and the reason.
        DeploymentCancelled: `cancelled` said so.
        FileExistsError: the folder is there already.
    """
    folder.mkdir(parents=True)
    try:
        with archive.open("rb") as file:
            kind = kind_of(file.read(4))
            tree = Tree(folder, LIMITS, archive.stat().st_size, cancelled)
            file.seek(0)
            if kind is ArchiveKind.ZIP:
                _unzip(file, tree)
            else:
                _untar(file, tree)
            tree.settle_links()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Unpacked(kind, tree.entries, tree.bytes)


def pack(folder: Path, archive: Path, *, cancelled: Callable[[], bool] = never) -> None:
    """Write a folder's files and folders as a tar.gz that is the same for the same content. Blocks.

    Raises:
        DeploymentCancelled: `cancelled`, which is called before each file, said so.
    """

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if cancelled():
            raise DeploymentCancelled
        if not (entry.isreg() or entry.isdir()):
            return None
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o111 else 0o644
        return entry

    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name, filter=plain)


def _unzip(file: BinaryIO, tree: Tree) -> None:
    _check_catalogue(file, tree.limits)
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                _unzip_entry(archive, entry, tree)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeError,
        ValueError,
        OverflowError,
    ) as error:
        raise damaged(f"the zip is damaged: {error}") from error


def _unzip_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, tree: Tree) -> None:
    # `filename` ends at the first NUL; programs on Windows write backslashes.
    name = entry.orig_filename.replace("\\", "/")
    if tree.leaves_out(name):
        return
    if entry.header_offset < 0:
        raise damaged("the zip is damaged: its catalogue names a place before its beginning")
    if entry.flag_bits & 0x1:
        raise refused(name, "is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refused(name, "is compressed in a way that is not taken: store or deflate it")
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        if entry.file_size > LINK_BYTES:
            raise refused(name, "is a link with too long a target")
        tree.link(name, archive.read(entry).decode(errors="replace"))
        return
    if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise refused(name, "is neither a file nor a folder")
    if name.endswith("/"):
        tree.folder(name)
    elif stat.S_ISDIR(mode):
        raise refused(name, "is a folder whose name does not end with a slash")
    else:
        with archive.open(entry) as data:
            tree.file(name, data, executable=bool(mode & 0o111))  # pyright: ignore[reportArgumentType] - IO[bytes] reads


def _check_catalogue(file: BinaryIO, limits: Limits) -> None:
    """Refuse a zip whose catalogue alone would fill the memory: zipfile reads it whole before it gives one entry."""
    size = file.seek(0, 2)
    tail = min(size, _END_RECORD.size + 0xFFFF)
    file.seek(size - tail)
    end = file.read(tail)
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) - at < _END_RECORD.size:
        raise damaged("the zip is damaged: its catalogue is missing")
    if end[max(at - 20, 0) : at].startswith(b"PK\x06\x07"):
        raise damaged("the zip is in the zip64 format, which no source of this size needs")
    catalogue = _END_RECORD.unpack_from(end, at)[5]
    if catalogue > limits.entries * _CATALOGUE_BYTES_AN_ENTRY:
        raise damaged(f"the zip's catalogue is for more than the {limits.entries:,} entries that are taken")
    file.seek(0)


# typeshed leaves these two out.
_DAMAGED_HEADERS: tuple[type[Exception], ...] = (
    vars(tarfile)["InvalidHeaderError"],
    vars(tarfile)["TruncatedHeaderError"],
)


class _Header(tarfile.TarInfo):
    """A header that tarfile would take for the end of the archive is damage, and names have an end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except _DAMAGED_HEADERS as error:
            raise damaged(f"the tar.gz is damaged: {error}") from error
        if header.type in _EXTENDED_HEADERS and not 0 <= header.size <= _EXTENDED_HEADER_BYTES:
            raise refused(header.name, f"has an extended header of more than {_EXTENDED_HEADER_BYTES:,} bytes")
        return header


class _Counted:
    """The bytes of the tar itself: headers and padding count, or they would be a bomb of their own."""

    def __init__(self, data: gzip.GzipFile, tree: Tree) -> None:
        self._data = data
        limits = tree.limits
        # Files are counted once more, by their names. What an entry costs besides is its headers and its padding.
        most = limits.total + limits.entries * _TAR_BYTES_AN_ENTRY
        whole = replace(limits, total=most, ratio=limits.ratio * 2, ratio_from=limits.ratio_from * 2)
        self._whole = Tree(tree.root, whole, tree.packed, tree.cancelled)

    def read(self, size: int) -> bytes:
        chunk = self._data.read(size)
        self._whole.grow("the archive itself", len(chunk))
        return chunk


def _untar(file: BinaryIO, tree: Tree) -> None:
    try:
        with gzip.GzipFile(fileobj=file) as data, _open_tar(_Counted(data, tree)) as archive:
            for entry in archive:
                vars(archive)["members"].clear()  # or every entry of a large archive is kept
                _untar_entry(archive, entry, tree)
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, UnicodeError, ValueError, OverflowError) as error:
        raise damaged(f"the tar.gz is damaged: {error}") from error


def _open_tar(data: _Counted) -> tarfile.TarFile:
    return tarfile.open(fileobj=data, mode="r|", tarinfo=_Header)  # pyright: ignore[reportCallIssue,reportArgumentType,reportUnknownVariableType] - a stream needs no more than read


def _untar_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, tree: Tree) -> None:
    if tree.leaves_out(entry.name):
        return
    if entry.issym():
        tree.link(entry.name, entry.linkname)
        return
    if entry.islnk():  # its target is named from the root
        tree.link(entry.name, "../" * (len(parts_of(entry.name, tree.limits)) - 1) + entry.linkname)
        return
    if entry.isdir():
        tree.folder(entry.name)
        return
    if not entry.isreg() or entry.issparse():
        raise refused(entry.name, "is neither a plain file nor a folder")
    data = archive.extractfile(entry)
    assert data is not None
    tree.file(entry.name, data, executable=bool(entry.mode & 0o111))  # pyright: ignore[reportArgumentType] - IO[bytes] reads
