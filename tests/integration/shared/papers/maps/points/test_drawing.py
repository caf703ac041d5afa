"""Points are numbered and drawn: every paper has one, and near papers lie near."""

import numpy as np

from shared.papers.browsing.points import papers_of
from shared.papers.maps import files, versions
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import SUBJECTS, decoded, some


async def test_every_paper_has_one_point_and_near_papers_lie_near(maps):
    await maps.add(some(200))
    version = await maps.make()
    found = await versions.current()
    assert (found.version, found.papers, found.additions, found.fitter) == (version, 200, 0, "pca")
    row = await versions.find(version)
    data = await files.read(version, row["drawn"]["points"]["file"], found.points.sha256)
    assert len(data) == found.points.bytes == 64 + 200 * 7
    head, columns = decoded(data)
    assert head[:7] == (b"PMAP", 1, 7, version, 0, 200, 65536)
    assert head[7:11] == found.extent.sides()
    stored = await fetch(
        f"select m.*, p.categories[1] as subject from papers.map_points_{version} m"
        " join papers.papers p using (paper_id) order by point"
    )
    assert [one["point"] for one in stored] == list(range(200))
    step = found.extent.widest / 65535
    x = found.extent.x_min + columns["x"] / 65535 * (found.extent.x_max - found.extent.x_min)
    assert np.abs(x - [one["x"] for one in stored]).max() <= step
    assert set(columns["class"]) == {0}
    assert found.classes[0].name == "arxiv"
    assert set(columns["year"]) == {2021 - 1899}
    places = np.array([(one["x"], one["y"]) for one in stored])
    subjects = np.array([one["subject"] for one in stored])
    middles = {subject: np.median(places[subjects == subject], axis=0) for subject in SUBJECTS}
    nearest = [min(middles, key=lambda name, at=at: ((middles[name] - at) ** 2).sum()) for at in places]
    assert np.mean(subjects == nearest) > 0.8
    assert (await fetch("select to_regclass(%s) as gone", f"papers.map_sample_{version}"))[0]["gone"] is None
    assert not [name for name in await maps.papers.names() if "work" in name.split("/")]


async def test_points_say_what_they_are(maps):
    await maps.add(some(60))
    version = await maps.make()
    found = await papers_of(version, [5, 3, 59, 10_000], ("doctrove_title",))
    assert [one["point"] for one in found] == [5, 3, 59]
