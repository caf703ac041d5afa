"""A paper lies at the median of its nearest papers of the sample."""

import numpy as np

from shared.papers.maps.layout import placing


def test_a_paper_lies_amid_its_like_and_one_stray_neighbour_does_not_pull_it_away():
    chosen = np.random.default_rng(4)
    ways = placing.unit(chosen.normal(size=(4, 32)))
    sample = placing.unit(np.repeat(ways, 30, axis=0) + chosen.normal(size=(120, 32)) * 0.02)
    positions = np.repeat([[0, 0], [9, 0], [0, 9], [9, 9]], 30, axis=0).astype(np.float32)
    positions[5] = [500, 500]
    found, nearness = placing.place(placing.unit(np.repeat(ways, 200, axis=0)), sample, positions)
    assert found.tolist() == np.repeat([[0, 0], [9, 0], [0, 9], [9, 9]], 200, axis=0).tolist()
    assert nearness.min() > 0.95
    far, strange = placing.place(placing.unit(chosen.normal(size=(1, 32))), sample, positions)
    assert strange[0] < 0.8
    assert far.shape == (1, 2)


def test_a_sample_of_one_is_enough():
    found, _ = placing.place(placing.unit([[1, 0]]), placing.unit([[0, 1]]), np.array([[3, 4]], np.float32))
    assert found.tolist() == [[3, 4]]


def test_a_vector_without_direction_has_a_place():
    assert not np.isnan(placing.unit([[0, 0]])).any()
