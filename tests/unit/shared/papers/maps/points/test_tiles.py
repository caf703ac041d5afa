"""The bytes that a map is drawn from, read back as docs/papers-map.md describes them."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.papers.maps.models import Extent
from shared.papers.maps.points import tiles

EXTENT = Extent(x_min=2e7 - 1, y_min=-3.0, x_max=2e7 + 1, y_max=5.0)


def made(count, seed=5):
    chosen = np.random.default_rng(seed)
    return tiles.Points(
        first=0,
        x=chosen.uniform(EXTENT.x_min, EXTENT.x_max, count),
        y=chosen.uniform(EXTENT.y_min, EXTENT.y_max, count),
        classes=chosen.integers(0, 4, count),
        years=np.where(chosen.random(count) < 0.1, 0, chosen.integers(1890, 2160, count)),
        clusters=chosen.integers(0, 200, count),
    )


def read_points(data):
    """Written from the page alone: the header, and the columns of all blocks."""
    magic, form, point_bytes, version, first, count, block, *sides, base = struct.unpack_from("<4sHHIIII4dH", data)
    assert (magic, form, point_bytes, block, base) == (b"PMAP", 1, 7, 65_536, 1899)
    assert data[58:64] == bytes(6)
    columns = {"x": [], "y": [], "class": [], "year": [], "cluster": []}
    at = 64
    for begin in range(0, count, block):
        assert at == 64 + begin // block * 458_752
        here = min(block, count - begin)
        for name, kind in (("x", "<u2"), ("y", "<u2"), ("class", "u1"), ("year", "u1"), ("cluster", "u1")):
            columns[name].append(np.frombuffer(data, kind, here, at))
            at += columns[name][-1].nbytes
    assert at == len(data)
    return version, first, sides, {name: np.concatenate(parts) for name, parts in columns.items() if parts}


@pytest.mark.parametrize("count", [1, 65_535, 65_536, 65_537, 200_000])
def test_points_come_back_at_the_places_where_they_are(count):
    points = made(count)
    version, first, sides, found = read_points(tiles.points_file(7, EXTENT, points))
    assert (version, first, sides) == (7, 0, list(EXTENT.sides()))
    x = EXTENT.x_min + found["x"] / 65_535 * (EXTENT.x_max - EXTENT.x_min)
    y = EXTENT.y_min + found["y"] / 65_535 * (EXTENT.y_max - EXTENT.y_min)
    # Around 2e7 too: the extent is in double precision, and a place in steps of it.
    assert np.abs(x - points.x).max() <= 2 / 65_535
    assert np.abs(y - points.y).max() <= 8 / 65_535
    assert (found["class"] == points.classes).all()
    assert (found["cluster"] == points.clusters).all()
    dated = points.years > 0
    assert (found["year"][~dated] == 0).all()
    assert (found["year"][dated] == np.clip(points.years[dated] - 1899, 1, 255)).all()


def test_a_million_points_have_seven_megabytes():
    assert len(tiles.points_file(1, EXTENT, made(1_000_000))) == 7_000_064


def test_no_points_are_a_header():
    assert len(tiles.points_file(1, EXTENT, made(0))) == 64


@settings(max_examples=20)
@given(st.integers(1, 5_000), st.integers(0, 2**31))
def test_each_level_of_the_density_counts_every_point_once(count, seed):
    points = made(count, seed)
    data = tiles.density_file(3, EXTENT, points)
    magic, form, levels, version, _, counted, side = struct.unpack_from("<4sHHIIII", data)
    assert (magic, form, levels, version, counted, side) == (b"PDEN", 1, 4, 3, count, 32)
    at = 64
    for _ in range(levels):
        cells = side * side
        counts = np.frombuffer(data, "<u4", cells, at)
        classes, years, clusters = (np.frombuffer(data, "u1", cells, at + cells * (4 + n)) for n in range(3))
        assert counts.sum() == count
        assert ((counts == 0) == (classes == 255)).all()
        assert ((counts == 0) == (clusters == 255)).all()
        assert not years[counts == 0].any()
        at += 7 * cells
        side *= 2
    assert at == len(data) == 609_344


def test_a_cell_shows_what_is_commonest_in_it():
    here = np.zeros(5)
    points = tiles.Points(0, here, here, np.array([3, 1, 1, 3, 1]), np.array([2000, 2001, 0, 2003, 0]), here + 9)
    data = tiles.density_file(1, Extent(x_min=0, y_min=0, x_max=1, y_max=1), points)
    counts = np.frombuffer(data, "<u4", 1024, 64)
    assert (counts[0], counts[1:].sum()) == (5, 0)
    assert [data[64 + 1024 * n] for n in (4, 5, 6)] == [1, 2001 - 1899, 9]


def test_a_map_of_one_place_has_a_place():
    points = tiles.Points(0, [0.5], [0.5], [0], [2000], [0])
    extent = Extent(x_min=0.5, y_min=0.5, x_max=0.5, y_max=0.5)
    assert len(tiles.points_file(1, extent, points)) == 71
    assert len(tiles.density_file(1, extent, points)) == 609_344
