"""Packs made by hand, as no git would make them."""

from __future__ import annotations

import hashlib
import struct
import zlib

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
_NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}


def id_of(kind: int, data: bytes) -> bytes:
    """The id of an object."""
    return hashlib.sha1(_NAMES[kind] + b" %d\0" % len(data) + data, usedforsecurity=False).digest()


def packed(kind: int, data: bytes, *, base: bytes = b"", size: int | None = None) -> bytes:
    """An object as it stands in a pack; `size` is what it claims, `base` what it is a change of."""
    left = len(data) if size is None else size
    first, left = kind << 4 | left & 15, left >> 4
    header = bytearray([first])
    while left:
        header[-1] |= 128
        header.append(left & 127)
        left >>= 7
    return bytes(header) + base + zlib.compress(data)


def pack(*objects: bytes, count: int | None = None) -> bytes:
    """A pack of objects; `count` is how many it claims to have."""
    content = b"PACK" + struct.pack(">II", 2, len(objects) if count is None else count) + b"".join(objects)
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


def number(value: int) -> bytes:
    """A size in the header of a change."""
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def tree(*entries: tuple[str, bytes, bytes]) -> bytes:
    """A folder: mode, name and id of each entry."""
    return b"".join(mode.encode() + b" " + name + b"\0" + id_ for mode, name, id_ in entries)


def commit(root: bytes) -> bytes:
    """A commit of a folder."""
    who = b"a <a@example.com> 0 +0000"
    return b"tree " + root.hex().encode() + b"\nauthor " + who + b"\ncommitter " + who + b"\n\nx\n"
