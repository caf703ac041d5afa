"""A map is brought back onto the one before, however it was turned, mirrored, scaled and shifted."""

import numpy as np
import pytest

from shared.papers.maps.layout import aligning

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
MIRROR = np.diag([1.0, -1.0])


@pytest.mark.parametrize("turn", [TURN, TURN @ MIRROR], ids=["turned", "mirrored"])
def test_what_was_turned_comes_back(turn):
    before = np.random.default_rng(1).normal(size=(200, 2)) * [3, 1]
    now = before @ turn * 7 + [100, -20]
    back = aligning.onto(now, before).apply(now)
    assert np.allclose(back, before, atol=1e-4)
    assert aligning.moved(back, before, 10.0) < 1e-5


def test_what_cannot_be_turned_is_shifted():
    same = np.ones((5, 2))
    assert np.allclose(aligning.onto(same, same + 3).apply(same), same + 3)


def test_rows_go_as_far_as_the_leash_lets_their_median_go():
    before = np.zeros((3, 2))
    near, far = np.array([[0.01, 0], [0.0, 0], [0.02, 0]]), np.array([[0.2, 0], [0.1, 0], [0.4, 0]])
    assert aligning.leash(near, before, 2.0) == 1
    assert aligning.leash(far, before, 2.0) == pytest.approx(0.1)
    assert aligning.leash(before[:0], before[:0], 2.0) == 1


def test_a_first_map_lies_around_the_middle():
    placed = aligning.first([[0, 10], [4, 12], [2, 11]]).apply([[0, 10], [4, 12]])
    assert placed.tolist() == [[-1.0, -0.5], [1.0, 0.5]]
    assert aligning.first([[3, 3]]).apply([[3, 3]]).tolist() == [[0, 0]]
