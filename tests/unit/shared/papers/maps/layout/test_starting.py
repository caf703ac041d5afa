"""Where a fit begins."""

import numpy as np

from shared.papers.maps.layout import starting

NAN = float("nan")


def test_the_two_widest_directions_come_first_and_point_the_same_way_each_time():
    chosen = np.random.default_rng(2)
    vectors = chosen.normal(size=(300, 10)) * [5, 3, *[0.1] * 8]
    found = starting.principal(vectors)
    assert found.shape == (300, 2)
    assert np.allclose(np.abs(np.corrcoef(found[:, 0], vectors[:, 0])[0, 1]), 1, atol=0.01)
    assert found[:, 0].std() > found[:, 1].std()
    assert np.isclose(found[:, 0].std(), 1)
    assert np.allclose(found, starting.principal(vectors.copy()))


def test_vectors_that_are_all_alike_lie_in_one_place():
    assert not starting.principal(np.ones((4, 8))).any()
    assert not starting.principal(np.ones((1, 1))).any()


def test_new_papers_begin_amid_their_known_neighbours():
    known = np.array([[0, 0], [2, 2], [NAN, NAN], [NAN, NAN], [NAN, NAN]])
    neighbours = np.array([[1, 2], [0, 2], [0, 1], [2, 4], [4, 4]])
    found = starting.continued(known, neighbours)
    assert found[:4].tolist() == [[0, 0], [2, 2], [1, 1], [1, 1]], (
        "the fourth knows the third alone, once that is placed"
    )
    assert not np.isnan(found).any(), "nobody near the last one has a place"
    assert not starting.continued(np.full((2, 2), NAN), np.array([[1], [0]])).any()
