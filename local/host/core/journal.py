"""What SQLite left out of a write-ahead log: it stops at the first damaged frame and says nothing of those behind."""

import struct

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
_WORD = 0xFFFFFFFF


_MOST_RESTARTS = 1 << 24
"""Of a log: each adds one to its first salt, by which the frames of an older log are known."""
LAST_PAGE = "its last page does not hold together: the last commit is lost, unless a kill came while it was written"


def damage(log: bytes, recovered: int) -> str | None:
    """What is wrong with a log of which SQLite has recovered so many frames; None when nothing is.

    A last frame that the file ends in is nothing wrong: a process was killed while it wrote it, and answered nobody.
    """
    if not log:
        return None
    if len(log) < _HEADER.size:
        return "it ends in its header"
    magic, _, page_size, _, salt_1, salt_2, *stored = _HEADER.unpack_from(log)
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC or _checksum(log[:24], (0, 0), order) != tuple(stored):
        return "its header is damaged"
    size = _FRAME.size + page_size
    frames = [
        (position, _FRAME.unpack_from(log, position)) for position in range(_HEADER.size, len(log) - size + 1, size)
    ]
    current = 0
    while current < len(frames) and frames[current][1][2:4] == (salt_1, salt_2):
        current += 1
    end = len(frames)
    while end > current and _is_older(frames[end - 1][1], salt_1, salt_2):
        end -= 1
    before = frames[recovered - 1][1][4:6] if recovered else tuple(stored)
    for index in range(recovered, current):
        position, frame = frames[index]
        before = _checksum(log[position : position + 8] + log[position + _FRAME.size : position + size], before, order)
        if before != frame[4:6]:
            return LAST_PAGE if end - index == 1 else _lost(end - index, end)
    return _lost(end - current, end) if end > current else None


def _is_older(frame: tuple[int, ...], salt_1: int, salt_2: int) -> bool:
    """Whether the frame is one of an older log, which lies behind those of this one."""
    return frame[3] != salt_2 and 0 < (salt_1 - frame[2]) & _WORD < _MOST_RESTARTS


def _lost(pages: int, of: int) -> str:
    return f"{pages} of its {of} pages, from the first damaged one on, are lost"


def _checksum(data: bytes, start: tuple[int, ...], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second
