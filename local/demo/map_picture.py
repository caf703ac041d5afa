"""A map of papers as a picture, from the bytes that a page draws it from; docs/papers-map.md describes them."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

import numpy as np

SIDE: Final = 900
"""Pixels of the longer side."""
_MARGIN: Final = 20
_RADIUS: Final = 3.2
_HEADER: Final = 64
_PAPER: Final = (252, 252, 250)
COLOURS: Final[tuple[tuple[int, int, int], ...]] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (120, 120, 120),
    (170, 140, 20),
)  # fmt: skip
"""Of Okabe and Ito, which most people with a colour vision deficiency tell apart, and two more."""


def picture(found: dict[str, Any], points: bytes) -> bytes:
    """A PNG of the map's description and its file of points; colours tell the coarsest regions apart."""
    x, y, clusters = columns(points)
    extent = found["extent"]
    wide, high = extent["x_max"] - extent["x_min"] or 1.0, extent["y_max"] - extent["y_min"] or 1.0
    scale = (SIDE - 2 * _MARGIN) / max(wide, high)
    width, height = (round(side * scale) + 2 * _MARGIN for side in (wide, high))
    left = x / 65_535 * wide * scale + _MARGIN
    top = (1 - y / 65_535) * high * scale + _MARGIN
    pixels = np.full((height, width, 3), _PAPER, np.uint8)
    colours = np.array(COLOURS, np.uint8)[top_level(found)[clusters] % len(COLOURS)]
    reach = int(_RADIUS) + 1
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            rows, places = np.rint(top).astype(int) + down, np.rint(left).astype(int) + right
            inside = np.hypot(rows - top, places - left) <= _RADIUS
            inside &= (rows >= 0) & (rows < height) & (places >= 0) & (places < width)
            pixels[rows[inside], places[inside]] = colours[inside]
    return png(pixels)


def columns(points: bytes) -> tuple[Any, Any, Any]:
    """x, y and the cluster of each point."""
    count, block = struct.unpack_from("<II", points, 16)
    parts: list[tuple[Any, Any, Any]] = []
    at = _HEADER
    for begin in range(0, count, block):
        here = min(block, count - begin)
        x, y = (np.frombuffer(points, "<u2", here, at + 2 * here * axis) for axis in (0, 1))
        parts.append((x, y, np.frombuffer(points, "u1", here, at + 6 * here)))
        at += 7 * here
    x, y, clusters = (np.concatenate([part[column] for part in parts]) for column in range(3))
    return x, y, clusters


def top_level(found: dict[str, Any]) -> Any:
    """The coarsest cluster of each finest one's number."""
    by_id = {one["cluster"]: one for one in found["clusters"]}
    tops = np.zeros(256, int)
    for one in found["clusters"]:
        if one["number"] is not None:
            above = one
            while above["parent"] is not None:
                above = by_id[above["parent"]]
            tops[one["number"]] = above["cluster"]
    return tops


def png(pixels: Any) -> bytes:
    """A PNG of an array of rows of red, green and blue bytes."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
    ]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*parts, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
