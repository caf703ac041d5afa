"""Regions: found where points lie close together, joined by nearness, and kept from one version to the next."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.maps.layout import clusters

MIDDLES = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [50, 50]])


def heaps(each=60):
    chosen = np.random.default_rng(3)
    return np.concatenate([middle + chosen.normal(size=(each, 2)) * 0.5 for middle in MIDDLES])


def test_each_heap_is_a_cluster():
    found = clusters.fine(heaps(), 5, seed=1)
    assert sorted(np.rint(found / 10).astype(int).tolist()) == sorted((MIDDLES // 10).tolist())
    own = clusters.nearest(heaps(), found)
    assert sorted(np.bincount(own)) == [60] * 5


def test_clusters_of_the_map_before_keep_their_numbers():
    before = clusters.fine(heaps(), 5, seed=1)
    again = clusters.fine(heaps(each=90), 6, seed=9, before=before)
    assert len(again) == 6
    assert np.abs(again[:5] - before).max() < 2


def test_what_lies_nearest_is_joined_first_and_levels_nest():
    weights = [60] * 5
    two = clusters.joined(MIDDLES, weights, 2)
    assert two[:4] == [two[0]] * 4
    assert two[4] != two[0]
    three = clusters.joined(MIDDLES, weights, 3)
    assert len(set(three)) == 3
    assert all(two[a] == two[b] for a in range(5) for b in range(5) if three[a] == three[b])


def test_points_in_one_place_are_one_cluster():
    assert len(clusters.fine(np.zeros((9, 2)), 4, seed=1)) == 1
    assert clusters.nearest(np.empty((0, 2)), np.zeros((1, 2))).tolist() == []


@given(st.integers(1, 3_000_000))
def test_levels_grow_by_steps_and_a_byte_holds_the_finest(points):
    sizes = clusters.sizes(points)
    assert sizes == sorted(set(sizes))
    assert 1 <= sizes[0] < 8 or len(sizes) == 1
    assert sizes[-1] < 255
