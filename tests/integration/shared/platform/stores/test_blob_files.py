"""Large blobs: written once, listed page by page, copied with their digest and within a bound."""

import hashlib
import uuid

import pytest

from shared.platform.errors import Conflict, InvalidInput, NotFound
from shared.platform.stores import blob_files
from shared.platform.stores.blob_files import (
    blob_details,
    blob_size,
    create_blob,
    delete_blob,
    download_blob,
    each_blob,
    list_blobs,
    replace_blob,
)
from tests.present import present


@pytest.fixture
def container(storage):
    return f"files-{uuid.uuid4().hex}"


async def parts(*data: bytes):
    for part in data:
        yield part


async def test_a_blob_is_written_once(container):
    assert await create_blob(container, "a", b"first")
    assert not await create_blob(container, "a", b"second")
    assert await blob_size(container, "a") == len(b"first")
    assert await blob_size(container, "b") is None


async def test_a_blob_is_replaced_by_whoever_saw_it_with_its_metadata(container):
    await replace_blob(container, "a", parts(b"1", b"2"), seen=None, metadata={"rows": "2"})
    first = present(await blob_details(container, "a"))
    assert first.metadata == {"rows": "2"}
    with pytest.raises(Conflict, match="changed by somebody else"):
        await replace_blob(container, "a", parts(b"3"), seen=None, metadata={})
    await replace_blob(container, "a", parts(b"3"), seen=first.etag, metadata={})
    assert present(await blob_details(container, "a")).metadata == {}
    assert await blob_details(container, "b") is None


async def test_all_blobs_below_a_folder_are_listed_however_many_a_page_holds(container, monkeypatch):
    for name in ("x/1", "x/2", "x/3", "y/1"):
        await create_blob(container, name, b"")
    page = await list_blobs(container, limit=2, prefix="x/")
    assert [blob.name for blob in page.blobs] == ["x/1", "x/2"]
    rest = await list_blobs(container, limit=2, prefix="x/", continuation=page.continuation)
    assert ([blob.name for blob in rest.blobs], rest.continuation) == (["x/3"], None)
    monkeypatch.setattr(blob_files, "_LISTED", 1)
    assert [blob.name async for blob in each_blob(container, "x/")] == ["x/1", "x/2", "x/3"]
    assert [blob.name async for blob in each_blob("no-such-container", "x/")] == []


async def test_a_copy_has_the_digest_of_its_bytes_and_no_more_than_may_be(container, tmp_path):
    data = bytes(range(256)) * 100
    await create_blob(container, "a", data)
    looks: list[None] = []
    digest = await download_blob(container, "a", tmp_path / "a", most=len(data), check=lambda: looks.append(None))
    assert (digest, (tmp_path / "a").read_bytes()) == (hashlib.sha256(data).hexdigest(), data)
    assert looks
    with pytest.raises(InvalidInput, match="larger than 100 bytes"):
        await download_blob(container, "a", tmp_path / "b", most=100, check=lambda: None)
    with pytest.raises(NotFound, match=f"no blob {container}/b"):
        await download_blob(container, "b", tmp_path / "c", most=100, check=lambda: None)


async def test_a_blob_that_was_changed_meanwhile_is_not_deleted(container):
    await create_blob(container, "a", b"first")
    listed = [blob async for blob in each_blob(container, "a")]
    await replace_blob(container, "a", parts(b"2"), seen=present(await blob_details(container, "a")).etag, metadata={})
    assert not await delete_blob(container, "a", seen=listed[0].etag)
    assert [await delete_blob(container, "a"), await delete_blob(container, "a")] == [True, False]
