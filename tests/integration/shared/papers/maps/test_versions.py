"""Versions of the map: one is seen, the one before is kept and comes back at once."""

import pytest

from shared.papers.maps import files, versions
from shared.platform.errors import Conflict, NotFound, TerminalError
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import some


async def test_only_the_version_before_is_kept_and_comes_back_at_once(maps):
    await maps.add(some(60))
    first, second = await maps.make(), await maps.make()
    await maps.add(some(5, first=500))
    third = await maps.make()
    assert [(one.version, one.state) for one in await versions.every()] == [
        (third, "current"),
        (second, "previous"),
        (first, "dropped"),
    ]
    with pytest.raises(NotFound):
        await versions.find(first)
    assert not [name for name in await maps.papers.names() if name.startswith(f"maps/{first}/")]
    await versions.roll_back()
    assert (await versions.current()).version == second
    assert await maps.place() == 5, "what came since gets its place on the version that came back"
    await versions.roll_back()
    assert (await versions.current()).version == third


async def test_papers_wait_for_no_version_that_is_dropped(maps):
    await maps.add(some(60))
    first, second = await maps.make(), await maps.make()
    await maps.add(some(5, first=500))
    await versions.roll_back()
    assert {one["version"] for one in await fetch("select version from papers.unplaced")} == {first, second}
    await maps.make()
    assert {one["version"] for one in await fetch("select version from papers.unplaced")} == {first}


async def test_a_map_needs_vectors(maps):
    with pytest.raises(Conflict, match="no-vectors"):
        await versions.accept("test")


async def test_a_version_that_cannot_be_made_leaves_nothing_and_another_can_be(maps, monkeypatch):
    await maps.add(some(60))
    from shared.papers.maps.points import drawing

    async def broken(_):
        raise TerminalError("cannot be drawn")

    draw = drawing.draw
    monkeypatch.setattr(drawing, "draw", broken)
    with pytest.raises(TerminalError):
        await maps.make()
    monkeypatch.setattr(drawing, "draw", draw)
    [failed] = await versions.every()
    assert (failed.state, failed.error) == ("failed", "cannot be drawn (terminal)")
    version = await maps.make()
    assert (await versions.current()).version == version
    assert not [name for name in await maps.papers.names() if name.startswith(f"maps/{failed.version}/")]


async def test_a_number_that_comes_again_meets_no_files_of_its_first_life(maps):
    await maps.add(some(200))
    first = await maps.make()
    # As a restore does: the number of the next version is given out again, of which there are files already.
    await files.write(first + 1, f"{files.WORK}/fit-00000.npz", b"of another fit")
    await files.write(first + 1, "points-aa.bin", b"of another map")
    version = await maps.make()
    assert version == first + 1
    assert f"maps/{version}/points-aa.bin" not in await maps.papers.names()
    found = await versions.current()
    assert found.points.href == f"/api/papers/map/{version}/points?sha256={found.points.sha256[:16]}"
