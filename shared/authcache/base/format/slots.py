"""Slots: where the rows' texts stand in a file, one after the other, each with its length before it.

A slot begins at a multiple of SLOT_BYTES, so that an index can name it by 32 bits in a file of up to 32 GB, and one
read of GUESSED_BYTES nearly always has all of it.
"""

from __future__ import annotations

from struct import Struct

SLOT_BYTES = 8
_LENGTH = Struct("<I")
LENGTH_BYTES = _LENGTH.size
GUESSED_BYTES = 384


def end_of(data: bytes) -> int:
    """Where the text ends of the slot that `data` begins with, of which `data` need have the length alone.

    Raises:
        struct.error: it has less.
    """
    return LENGTH_BYTES + int(_LENGTH.unpack_from(data)[0])
