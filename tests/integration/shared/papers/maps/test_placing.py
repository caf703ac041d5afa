"""Papers that come later find their place on the map that is there."""

from shared.papers.browsing.points import additions, places_of
from shared.papers.maps import versions
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import about, decoded, some


async def test_papers_that_come_later_are_placed_behind_the_others_once(maps):
    await maps.add(some(100))
    version = await maps.make()
    before = await versions.current()
    await maps.add(some(30, first=2000))
    assert await maps.place() == 30
    assert await maps.place() == 0
    found = await versions.current()
    assert (found.papers, found.additions, found.points.sha256) == (100, 30, before.points.sha256)
    head, columns = decoded(await additions(version, None))
    assert (head[4], head[5]) == (100, 30)
    head, _ = decoded(await additions(version, 120))
    assert (head[4], head[5]) == (120, 10)
    stored = await fetch(
        f"select paper_id, point, x from papers.map_points_{version} where point >= 100 order by point"
    )
    assert [one["point"] for one in stored] == list(range(100, 130))
    [place] = await places_of(version, [stored[3]["paper_id"]])
    assert (place.point, place.x) == (103, stored[3]["x"])
    assert len(columns["x"]) == 30
    await maps.add([about(2000, "geometry", update_date="2024-01-01")])
    assert await maps.place() == 0, "a paper that has a place keeps it"
    [same] = await places_of(version, [stored[0]["paper_id"]])
    assert same.x == stored[0]["x"]


async def test_papers_that_came_while_a_version_was_made_get_their_place(maps, monkeypatch):
    await maps.add(some(60))
    from shared.papers.maps.points import drawing

    draw = drawing.draw

    async def slow(version):
        drawn = await draw(version)
        await maps.add(some(4, first=700))
        return drawn

    monkeypatch.setattr(drawing, "draw", slow)
    await maps.make()
    assert (await versions.current()).papers == 60
    assert await maps.place() == 4
