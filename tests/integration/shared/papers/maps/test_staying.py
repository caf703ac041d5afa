"""Papers that are on the map before stay where they are, whatever came since."""

import numpy as np
import pytest

from orchestrators.papers.embedding import paper_enrich
from shared.papers.maps import versions
from shared.platform.durable import Nothing
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import some
from tests.present import present


async def test_another_version_begins_at_the_one_before_and_common_papers_stay(maps):
    await maps.add(some(200))
    first = await maps.make()
    await maps.add(some(100, first=1000))
    second = await maps.make()
    found = await versions.current()
    assert (found.version, found.papers) == (second, 300)
    assert present(found.moved) < 0.02
    both = await fetch(
        f"select a.x as ax, a.y as ay, b.x as bx, b.y as by from papers.map_points_{first} a"
        f" join papers.map_points_{second} b using (paper_id)"
    )
    ways = [((one["ax"] - one["bx"]) ** 2 + (one["ay"] - one["by"]) ** 2) ** 0.5 for one in both]
    assert len(ways) == 200
    assert np.median(ways) < 0.02 * found.extent.widest
    assert [one.state for one in await versions.every()] == ["current", "previous"]


async def _moved(first, second):
    """The ways of the papers of both versions, as shares of the longer side of the second."""
    both = await fetch(
        f"select sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2) as way from papers.map_points_{first} a"
        f" join papers.map_points_{second} b using (paper_id)"
    )
    return np.array([one["way"] for one in both]) / (await versions.current()).extent.widest


@pytest.mark.parametrize("fitter", ["pca", "tsne"])
async def test_common_papers_stay_where_they_are_most_of_what_came_is_new(maps, monkeypatch, fitter):
    monkeypatch.setenv("PAPERS_MAP_FITTER", fitter)
    forget_settings()
    await maps.add(some(200))
    first = await maps.make()
    await maps.add(some(1_000, first=1_000))
    second = await maps.make()
    ways = await _moved(first, second)
    assert len(ways) == 200
    assert np.median(ways) < 0.02
    assert present((await versions.current()).moved) == pytest.approx(np.median(ways), abs=1e-4)


async def test_common_papers_stay_where_they_are_with_the_vectors_of_another_model(maps, monkeypatch):
    await maps.add(some(400))
    first = await maps.make()
    monkeypatch.setenv("PAPERS_EMBEDDER", "static")
    forget_settings()
    await Player().play(paper_enrich, Nothing())
    second = await maps.make()
    found = await versions.current()
    assert (found.version, found.model.split()[0]) == (second, "static")
    assert np.median(await _moved(first, second)) < 0.02


async def test_a_map_of_none_of_the_papers_before_is_laid_out_anew(maps, monkeypatch):
    monkeypatch.setenv("PAPERS_MAP_FITTER", "tsne")
    forget_settings()
    await maps.add(some(200))
    await maps.make()
    async with database() as connection:
        await connection.execute("delete from papers.papers")
    await maps.add(some(200, first=5_000))
    second = await maps.make()
    places = await fetch(f"select x, y from papers.map_points_{second}")
    assert len({(one["x"], one["y"]) for one in places}) > 100
    assert (await versions.current()).moved is None
