"""Small documents in Blob Storage, changed only by whoever saw the newest version."""

import uuid

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.stores.blobs import (
    BLOB_ARCHIVED,
    blob_service,
    close_blobs,
    read_blob,
    read_range,
    unavailable,
    write_blob,
)
from tests.fresh_settings import forget_settings
from tests.present import present


@pytest.fixture
def container(storage):
    return f"documents-{uuid.uuid4().hex}"


async def test_a_document_is_changed_by_whoever_saw_its_newest_version_alone(container):
    assert await read_blob(container, "a.json") is None
    first = await write_blob(container, "a.json", b"1", seen=None)
    second = await write_blob(container, "a.json", b"2", seen=first)
    for seen in (None, first):
        with pytest.raises(Conflict, match="changed by somebody else"):
            await write_blob(container, "a.json", b"3", seen=seen)
    kept = present(await read_blob(container, "a.json"))
    assert (kept.data, kept.etag) == (b"2", second)


async def test_a_range_ends_where_the_blob_does(container):
    await write_blob(container, "a", b"0123456789", seen=None)
    assert await read_range(container, "a", 3, 4) == b"3456"
    assert await read_range(container, "a", 8, 100) == b"89"
    assert await read_range(container, "b", 0, 1) is None


async def test_a_blob_in_the_archive_is_named_and_no_workload_is(container):
    await write_blob(container, "a", b"old", seen=None)
    await blob_service().get_blob_client(container, "a").set_standard_blob_tier("Archive")
    with pytest.raises(TerminalError, match=f"{container}/a is in the archive tier") as refused:
        await read_blob(container, "a")
    assert refused.value.code == BLOB_ARCHIVED
    assert refused.value.remedy == "Set its tier to Hot or Cool, which takes up to 15 hours, and then try again."


async def test_without_an_account_the_setting_is_named(storage, monkeypatch):
    monkeypatch.delenv("STORAGE_CONNECTION")
    monkeypatch.delenv("STORAGE_BLOB_ENDPOINT", raising=False)
    forget_settings()
    await close_blobs()
    with pytest.raises(TerminalError, match="STORAGE_BLOB_ENDPOINT or STORAGE_CONNECTION"):
        await read_blob("documents", "a")


def test_an_account_that_is_away_is_tried_again_and_what_the_library_says_is_not_shown():
    error = unavailable("documents", "a", ServiceRequestError("Cannot connect to host 10.0.0.7"))
    assert isinstance(error, TransientError)
    assert error.code == "storage-unavailable"
    assert "documents/a: ServiceRequestError" in error.message
    assert "10.0.0.7" not in str(error)
