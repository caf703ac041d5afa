"""A pack as a host sent it. Nothing in it is trusted: all sizes are counted before dulwich takes an object apart."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dulwich.errors import ApplyDeltaError
from dulwich.object_format import SHA1
from dulwich.pack import OFS_DELTA, REF_DELTA, PackData, UnpackedObject, UnpackedObjectIterator, UnresolvedDeltas

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.git.errors import damaged
from shared.deploys.sources.tree import Limits, refused

OBJECTS: Final = 100_000
OBJECT_BYTES: Final = 100_000_000
"""Of one file, which is held in memory with what it is a change of; hosts take no larger ones without Git LFS."""
_PACK_HEADER = 12
_DELTA_HEADER = 20
_INPUT_BYTES = 4_096
_OUTPUT_BYTES = 1 << 18
_KINDS = {1, 2, 3, 4, OFS_DELTA, REF_DELTA}
_REF_BYTES = 20


class Pack:
    """The objects of a pack, which is read from its file. To be closed.

    Raises:
        InvalidInput: it holds too much (`source-refused`).
        TerminalError: it is damaged (`git-failed`).
    """

    def __init__(self, path: Path, limits: Limits, cancelled: Callable[[], bool]) -> None:
        self._limits, self._cancelled = limits, cancelled
        self._file = path.open("rb")
        try:
            self._data = PackData(str(path), SHA1, file=self._file)
        except (AssertionError, ValueError, OSError) as error:
            self._file.close()
            raise damaged("it is no pack") from error
        try:
            with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
                self._records = self._scanned(contents)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._data.close()
        self._file.close()

    def objects(self) -> Iterator[UnpackedObject]:
        """Each object once, whole, in no order that means anything. It can be called again."""
        walk = UnpackedObjectIterator(None, SHA1.hash_func, object_format=SHA1)
        walk.set_pack_data(self._data)
        for record in self._records:
            walk.record(record)
        fits = True
        try:
            for unpacked in walk:
                if self._cancelled():
                    raise DeploymentCancelled
                yield unpacked
        except (ApplyDeltaError, UnresolvedDeltas, zlib.error, AssertionError, ValueError):
            fits = False  # while the error lives, so do dulwich's views of the file, which then could not be closed
        if not fits:
            raise damaged("its objects do not fit together")

    def _scanned(self, contents: mmap.mmap) -> list[UnpackedObject]:
        """Where each object begins, after all of them were unpacked once, piece by piece, without being kept."""
        count = len(self._data)
        if count > OBJECTS:
            raise refused("", f"is one of {count:,} objects, and {OBJECTS:,} are taken")
        records: list[UnpackedObject] = []
        starts: set[int] = set()
        total, at = 0, _PACK_HEADER
        for _ in range(count):
            record, size, at = self._object(contents, at)
            base = record.delta_base
            if isinstance(base, int) and (record.offset or 0) - base not in starts:
                raise damaged("an object is a change of none")
            starts.add(record.offset or 0)
            records.append(record)
            total += size
            if size > OBJECT_BYTES:
                raise refused("a file", f"is larger than {OBJECT_BYTES:,} bytes")
            if total > self._limits.total:
                raise refused("a file", f"makes the source larger than {self._limits.total:,} bytes")
        return records

    def _object(self, contents: mmap.mmap, start: int) -> tuple[UnpackedObject, int, int]:
        """An object's record, its size once it is whole, and where the next one begins."""
        first = _byte(contents, start)
        kind, packed, at = (first >> 4) & 7, first & 15, start + 1
        if first & 128:
            more, at = _number(contents, at)
            packed |= more << 4
        base: int | bytes | None = None
        if kind not in _KINDS:
            raise damaged(f"an object is of the kind {kind}, which does not exist")
        if kind == OFS_DELTA:
            base, at = _distance(contents, at)
        elif kind == REF_DELTA:
            base, at = contents[at : at + _REF_BYTES], at + _REF_BYTES
        if packed > OBJECT_BYTES:
            raise refused("a file", f"is larger than {OBJECT_BYTES:,} bytes")
        beginning, at = self._inflated(contents, at, packed)
        size = packed
        if base is not None:  # what a change makes is as large as it says itself, and dulwich holds it to that
            _, after = _number(beginning, 0)
            size, _ = _number(beginning, after)
        return UnpackedObject(kind, delta_base=base, decomp_len=packed, offset=start), size, at

    def _inflated(self, contents: mmap.mmap, at: int, size: int) -> tuple[bytes, int]:
        unpacker, beginning, total = zlib.decompressobj(), b"", 0
        try:
            while not unpacker.eof:
                if self._cancelled():
                    raise DeploymentCancelled
                piece = contents[at : at + _INPUT_BYTES]
                if not piece:
                    raise damaged("it ends in the middle")
                out = unpacker.decompress(piece, _OUTPUT_BYTES)
                at += len(piece) - len(unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail)
                total += len(out)
                beginning += out[: _DELTA_HEADER - len(beginning)]
                if total > size:
                    raise damaged("an object is larger than it says")
        except zlib.error as error:
            raise damaged("an object cannot be unpacked") from error
        if total != size:
            raise damaged("an object is smaller than it says")
        return beginning, at


def _byte(data: mmap.mmap | bytes, at: int) -> int:
    if at >= len(data):
        raise damaged("it ends in the middle")
    return data[at]


def _number(data: mmap.mmap | bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while shift < 64:  # noqa: PLR2004 - bits
        byte = _byte(data, at)
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if not byte & 128:
            return value, at
    raise damaged("it holds a number without an end")


def _distance(data: mmap.mmap, at: int) -> tuple[int, int]:
    """How far before an object the one begins of which it is a change, in git's own form, and where that ends."""
    value, end = -1, at + 10
    while at < end:
        byte = _byte(data, at)
        value, at = ((value + 1) << 7) | (byte & 127), at + 1
        if not byte & 128:
            return value, at
    raise damaged("it holds a number without an end")
