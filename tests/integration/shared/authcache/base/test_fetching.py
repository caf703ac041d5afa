"""Segments on this machine's disk: fetched whole or not at all, looked at once, and cleared away."""

import asyncio

import pytest

from shared.authcache.base import fetching
from shared.authcache.base.fetching import clear, fetch, folder_of, own_folder
from shared.authcache.base.manifest import CorruptBase, read_manifest
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import delete_blob
from tests.integration.shared.authcache.conftest import container, folded, instances, registered
from tests.present import present

__all__ = ["container", "instances"]


@pytest.fixture
async def segment(instances, container):
    """A segment of a base, which nobody has fetched for the epoch 7 of these tests."""
    await instances().commit([registered("ann@example.com")])
    await folded()
    return present(present(await read_manifest())[0].changed)


async def test_of_many_who_fetch_a_segment_at_once_all_get_the_one_whole_folder(segment):
    folders = await asyncio.gather(*(fetch(segment, 7) for _ in range(4)))
    assert set(folders) == {folder_of(segment, 7)}
    wanted = {file.name: file.size for file in segment.files if not file.name.endswith(".parquet")}
    assert {path.name: path.stat().st_size for path in folders[0].iterdir()} == wanted
    assert [path.name for path in folders[0].parent.iterdir()] == [folders[0].name]


async def test_what_another_process_left_is_compared_once_and_fetched_again_where_it_differs(segment, monkeypatch):
    folder = await fetch(segment, 7)
    path = folder / "users.slots"
    written = path.read_bytes()
    path.write_bytes(b"x" * len(written))
    assert await fetch(segment, 7) == folder
    assert path.read_bytes() != written  # this process has fetched it: a look-up finds the damage
    monkeypatch.setattr(fetching, "_whole", set())
    assert await fetch(segment, 7) == folder
    assert path.read_bytes() == written


async def test_a_segment_that_lacks_a_blob_leaves_nothing_on_the_disk(segment):
    await delete_blob(settings().authcache_container, f"{segment.name}/users.slots")
    with pytest.raises(CorruptBase, match="is not there"):
        await fetch(segment, 7)
    assert list(folder_of(segment, 7).parent.iterdir()) == []


async def test_segments_that_are_not_used_are_cleared_away_and_those_under_way_stay(segment):
    folder = await fetch(segment, 7)
    (own_folder() / "6" / "base-1").mkdir(parents=True)
    (folder.parent / "base-2").mkdir()
    (folder.parent / "base-2.abcd.part").mkdir()
    clear([segment], 7)
    left = {f"{path.parent.name}/{path.name}" for path in own_folder().glob("*/*")}
    assert left == {f"7/{folder.name}", "7/base-2.abcd.part"}
