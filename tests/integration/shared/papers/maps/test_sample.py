"""The papers that a map is fitted to, and which of them are near to each other."""

import numpy as np
import pytest

from shared.papers.maps import sample, versions
from shared.papers.maps.models import NeighbourShare
from shared.platform.errors import NotFound
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import some


async def test_a_tenth_is_kept_for_papers_of_the_map_before_however_many_are_new(maps):
    await maps.add(some(20))
    await maps.make()
    await maps.add(some(400, first=1_000))
    ref = await versions.accept("test")
    plan = await sample.plan(ref.version)
    assert (plan.ended, plan.sampled) == (False, 150)
    chosen = f"select paper_id, x is not null as placed from papers.map_sample_{ref.version} order by number"
    before = await fetch(chosen)
    assert sum(row["placed"] for row in before) >= 15
    assert await sample.plan(ref.version) == plan
    assert await fetch(chosen) == before, "done again, it stays"


async def test_neighbours_are_the_nearest_of_all(maps):
    await maps.add(some(90))
    ref = await versions.accept("test")
    sampled = (await sample.plan(ref.version)).sampled
    await sample.find_neighbours(NeighbourShare(version=ref.version, first=0, count=sampled))
    near, distances = await sample.neighbours(ref.version, sampled)
    _, vectors, _ = await sample.read_sample(ref.version)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    apart = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert near.shape == (90, sample.NEIGHBOURS)
    assert np.allclose(distances, np.sort(apart, axis=1)[:, : sample.NEIGHBOURS], atol=2e-3)
    assert np.allclose(np.take_along_axis(apart, near, axis=1), distances, atol=2e-3)


async def test_a_version_that_is_not_there_has_no_sample(papers):
    with pytest.raises(NotFound, match="unknown-map"):
        await sample.plan(77)
