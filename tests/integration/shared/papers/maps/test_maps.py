"""A map from the first step to the last: every paper has one place, versions stay alike, additions come behind."""

import struct

import numpy as np
import pytest

from shared.papers.browsing.points import additions, papers_of, places_of
from shared.papers.maps import drift, files, model_files, versions
from shared.papers.settings import settings
from shared.platform.errors import Conflict, NotFound, TerminalError
from shared.platform.stores.blobs import blob_service
from tests.integration.shared.papers.conftest import fetch
from tests.integration.shared.papers.maps.conftest import SUBJECTS, about, some
from tests.present import present

POINT = [("x", "<u2"), ("y", "<u2"), ("class", "u1"), ("year", "u1"), ("cluster", "u1")]


def decoded(data):
    """The header and the columns of a file of fewer points than a block has."""
    head = struct.unpack_from("<4sHHIIII4dH", data)
    count, at, columns = head[5], 64, {}
    for name, kind in POINT:
        columns[name] = np.frombuffer(data, kind, count, at)
        at += columns[name].nbytes
    assert at == len(data)
    return head, columns


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


async def test_clusters_nest_are_counted_and_named_by_their_terms(maps):
    await maps.add(some(200))
    await maps.make()
    found = await versions.current()
    assert found.levels == 2
    by_id = {one.cluster: one for one in found.clusters}
    for one in found.clusters:
        below = [other.papers for other in found.clusters if other.parent == one.cluster]
        assert one.level == found.levels - 1 or sum(below) == one.papers
        assert (one.number is None) == (one.level < found.levels - 1)
        assert one.parent is None or by_id[one.parent].level == one.level - 1
        assert found.extent.x_min <= one.x <= found.extent.x_max
    assert sum(one.papers for one in found.clusters if one.level == 0) == 200
    words = {word for text in SUBJECTS.values() for word in text.split()}
    assert all(set(one.words[0].split()) <= words for one in found.clusters)


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


async def test_drift_says_when_another_fit_is_due(maps):
    await maps.add(some(60))
    await maps.make()
    assert not (await versions.current()).drift.due
    strange = [
        about(n, "learning", abstract=f"quux{n} zork{n} blorb{n} " * 9, title=f"frob{n}") for n in range(3000, 3100)
    ]
    await maps.add(strange)
    await maps.place()
    found = (await versions.current()).drift
    assert found.due
    assert "100 papers came since" in found.because[0]
    assert "lie far from what it was fitted to" in found.because[1]
    assert drift.FAR_THEN == 0.05


async def test_a_map_needs_vectors(maps):
    with pytest.raises(Conflict, match="no-vectors"):
        await versions.accept("test")


@pytest.mark.parametrize("count", [1, 2, 7])
async def test_few_papers_have_a_map_too(maps, count):
    await maps.add(some(count))
    await maps.make()
    found = await versions.current()
    assert (found.papers, found.levels) == (count, 1)


async def test_a_damaged_model_is_refused_with_its_reason(maps):
    await maps.add(some(60))
    version = await maps.make()
    model_files._loaded.clear()
    name = next(name for name in await maps.papers.names() if f"maps/{version}/positions-" in name)
    await maps.papers.put(name, b"\0" * len(await maps.papers.read(name)))
    await maps.add(some(1, first=900))
    with pytest.raises(TerminalError, match="is damaged"):
        await maps.place()
    assert await fetch("select 1 from papers.unplaced"), "the paper waits"


@pytest.mark.parametrize("file", ["middles", "positions", "model"])
@pytest.mark.parametrize("change", ["damaged", "gone"])
async def test_another_version_mends_a_map_of_which_a_file_is_damaged_or_gone(maps, file, change):
    await maps.add(some(60))
    version = await maps.make()
    model_files._loaded.clear()
    name = next(name for name in await maps.papers.names() if f"maps/{version}/{file}-" in name)
    if change == "gone":
        await blob_service().get_blob_client(settings().papers_container, name).delete_blob()
    else:
        await maps.papers.put(name, b"\0" * len(await maps.papers.read(name)))
    await maps.add(some(1, first=900))
    after = await maps.make()
    found = await versions.current()
    assert (found.version, found.papers) == (after, 61)
    assert present(found.moved) < 0.02


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


async def test_points_say_what_they_are(maps):
    await maps.add(some(60))
    version = await maps.make()
    found = await papers_of(version, [5, 3, 59, 10_000], ("doctrove_title",))
    assert [one["point"] for one in found] == [5, 3, 59]


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
