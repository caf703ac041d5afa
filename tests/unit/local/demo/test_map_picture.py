"""The picture of a map has a dot where a point is, in the colour of its region, and is a PNG."""

import struct
import zlib

import numpy as np

from local.demo import map_picture
from shared.papers.maps.models import Extent
from shared.papers.maps.points import tiles

SIDES = {"x_min": 0.0, "y_min": 0.0, "x_max": 2.0, "y_max": 1.0}


def decoded(data):
    """The pixels of a PNG that `png` made, every chunk checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), "u1").reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_points_are_drawn_where_they_are_in_the_colours_of_their_regions():
    points = tiles.Points(0, [0.0, 2.0], [0.0, 1.0], [0, 0], [2000, 2000], [4, 9])
    described = {
        "extent": SIDES,
        "clusters": [
            {"cluster": 0, "parent": None, "number": None},
            {"cluster": 1, "parent": None, "number": None},
            {"cluster": 2, "parent": 0, "number": 4},
            {"cluster": 3, "parent": 1, "number": 9},
        ],
    }
    pixels = decoded(map_picture.picture(described, tiles.points_file(1, Extent(**SIDES), points)))
    assert pixels.shape == (470, 900, 3)
    assert tuple(pixels[449, 20]) == map_picture.COLOURS[0], "below on the left: y grows upwards"
    assert tuple(pixels[20, 880]) == map_picture.COLOURS[1]
    assert tuple(pixels[200, 400]) == (252, 252, 250)


def test_all_blocks_are_read():
    count = 70_000
    ramp = np.arange(count)
    points = tiles.Points(0, ramp / count, ramp / count, ramp % 2, ramp * 0, ramp % 200)
    data = tiles.points_file(1, Extent(x_min=0, y_min=0, x_max=1, y_max=1), points)
    x, _, clusters = map_picture.columns(data)
    assert (np.diff(x.astype(int)) >= 0).all()
    assert (clusters == ramp % 200).all()
