"""Lines of a stream of bytes, packed or not, each with the place behind it."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.papers.reading.marks import LONGEST_RECORD, Line, Mark
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

_PIECE = 1 << 20
"""Most bytes that are unpacked at a time: a packed file may grow a thousandfold."""
_SLICE = 1 << 16
"""Bytes that are given to the unpacking at a time: what is left of them behind a member is copied for the next one."""
_LINES = 2_000
"""Lines after which others on the event loop have their turn: a piece may hold a million of them."""
MOST_UNPACKED = 50_000_000_000
"""Bytes of a gzip member once it is unpacked, since a mark within it is reached by unpacking what lies before it; and
of a file that is unpacked as a whole."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some bytes, and where they begin."""

    data: bytes
    begins: Mark


async def plain(chunks: AsyncIterable[bytes], start: Mark) -> AsyncIterator[Line]:
    """The lines of what is not packed; `chunks` begin at `start`."""

    async def pieces() -> AsyncIterator[_Piece]:
        offset = start.offset
        async for chunk in chunks:
            yield _Piece(chunk, Mark(0, offset))
            offset += len(chunk)

    async for line in _split(pieces(), start):
        yield line


async def unpacked(chunks: AsyncIterable[bytes], start: Mark) -> AsyncIterator[Line]:
    """The lines of a gzip file of any number of members; `chunks` begin at the member of `start`.

    Raises:
        InvalidInput: the file is damaged or ends in the middle of a member, or a member has more than MOST_UNPACKED
            bytes; the lines before that were given.
    """
    async for line in _split(_from(_members(chunks, start.member), start), start):
        yield line


async def unpacked_pieces(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """The bytes of a gzip file of any number of members.

    Raises:
        InvalidInput: as `unpacked`, or all of it has more than MOST_UNPACKED bytes.
    """
    size = 0
    async for piece in _members(chunks, 0):
        size += len(piece.data)
        _check_size(size)
        yield piece.data


async def _from(pieces: AsyncIterable[_Piece], start: Mark) -> AsyncIterator[_Piece]:
    """The pieces without what lies before the start, in its member."""
    async for piece in pieces:
        skipped = max(start.offset - piece.begins.offset, 0) if piece.begins.member == start.member else 0
        if skipped < len(piece.data):
            yield _Piece(piece.data[skipped:], Mark(piece.begins.member, piece.begins.offset + skipped))


async def _members(chunks: AsyncIterable[bytes], member: int) -> AsyncIterator[_Piece]:
    unpacking = zlib.decompressobj(wbits=31)
    place, offset = member, 0  # how far the stored bytes were read, and how far this member was unpacked
    began = False
    async for some in _sliced(chunks):
        waiting = some
        while waiting:
            if not began and not waiting.strip(b"\0"):
                place += len(waiting)  # padding behind the last member
                break
            began = True
            try:
                data = await asyncio.to_thread(unpacking.decompress, waiting, _PIECE)
            except zlib.error as error:
                raise _damaged(place, str(error)) from None
            if data:
                yield _Piece(data, Mark(member, offset))
                offset += len(data)
                _check_size(offset)
            if not unpacking.eof:
                place += len(waiting) - len(unpacking.unconsumed_tail)
                waiting = unpacking.unconsumed_tail
                continue
            place += len(waiting) - len(unpacking.unused_data)
            waiting = unpacking.unused_data
            member, offset, began = place, 0, False
            unpacking = zlib.decompressobj(wbits=31)
    if began:
        raise _damaged(place, "it ends in the middle")


async def _sliced(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        for begin in range(0, len(chunk), _SLICE):
            yield chunk[begin : begin + _SLICE]


def _check_size(size: int) -> None:
    if size > MOST_UNPACKED:
        raise InvalidInput(
            f"The gzip file has more than {MOST_UNPACKED:,} bytes once it is unpacked.",
            field="blob",
            code="file-too-large",
            remedy="Cut it into several files.",
        )


def _damaged(place: int, reason: str) -> InvalidInput:
    return InvalidInput(
        f"The gzip file is damaged at byte {place:,}: {reason[:200]}.",
        field="blob",
        code="file-damaged",
        remedy="Upload it again, whole. What stands before that byte was read, and nothing was published.",
    )


async def _split(pieces: AsyncIterable[_Piece], after: Mark) -> AsyncIterator[Line]:
    """Cut the pieces into lines. The last line may have no end of its own."""
    held: list[bytes] = []
    size, lines = 0, 0
    async for piece in pieces:
        begin = 0
        while (end := piece.data.find(b"\n", begin) + 1) > 0:
            size += end - begin
            held.append(piece.data[begin:end])
            after = Mark(piece.begins.member, piece.begins.offset + end)
            yield Line(b"".join(held) if size <= LONGEST_RECORD else None, after)
            held, size, begin = [], 0, end
            lines += 1
            if lines % _LINES == 0:
                await asyncio.sleep(0)
        size += len(piece.data) - begin
        after = Mark(piece.begins.member, piece.begins.offset + len(piece.data))
        held = [*held, piece.data[begin:]] if size <= LONGEST_RECORD else []
    if size:
        yield Line(b"".join(held) if size <= LONGEST_RECORD else None, after)
