"""What SQLite left out of a write-ahead log: it stops at the first damaged frame and says nothing of those behind."""

import struct

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
_WORD = 0xFFFFFFFF


def damage(log: bytes, recovered: int) -> str | None:
    """What is wrong with a log of which SQLite has recovered so many frames; None when nothing is.

    A last frame that is not whole is nothing wrong: a process was killed while it wrote it, and nobody was answered.
    """
    if len(log) < _HEADER.size:
        return None
    magic, _, page_size, _, salt_1, salt_2, *stored = _HEADER.unpack_from(log)
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC or _checksum(log[:24], (0, 0), order) != tuple(stored):
        return "its header is damaged" if any(log) else None
    size = _FRAME.size + page_size
    frames = [
        (position, _FRAME.unpack_from(log, position)) for position in range(_HEADER.size, len(log) - size + 1, size)
    ]
    # Behind the frames of this log may lie those of an older one, which have other salts.
    current = 0
    while current < len(frames) and frames[current][1][2:4] == (salt_1, salt_2):
        current += 1
    before = frames[recovered - 1][1][4:6] if recovered else tuple(stored)
    for index in range(recovered, current):
        position, frame = frames[index]
        before = _checksum(log[position : position + 8] + log[position + _FRAME.size : position + size], before, order)
        if before != frame[4:6]:
            left = current - index
            return None if left == 1 else f"{left} of its {current} pages, from the first damaged one on, are lost"
    return None


def _checksum(data: bytes, start: tuple[int, ...], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second
