"""Sources in Blob Storage: kept once, uploaded by clients themselves, and never trusted to be what they are called."""

import asyncio
import hashlib
import io
import zipfile

import httpx
import pytest

from shared.deploys import sources
from shared.deploys.models import ArchiveSource
from shared.deploys.sources import uploads
from shared.platform.errors import InvalidInput, PayloadTooLarge, TerminalError
from shared.platform.stores import blob_files
from shared.platform.stores.blobs import blob_service


def archive(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("app.py", text)
    return buffer.getvalue()


async def no() -> bool:
    return False


@pytest.fixture(autouse=True)
def _storage(storage):
    """All of these speak to Blob Storage."""


async def test_an_upload_is_kept_once_and_fetched(tmp_path):
    data = archive("kept once")
    first = await sources.store_archive("org", "project", data)
    version = await blob_service().get_blob_client("deploy-sources", f"org/project/{first}").get_blob_properties()
    assert await sources.store_archive("org", "project", data) == first == hashlib.sha256(data).hexdigest()
    again = await blob_service().get_blob_client("deploy-sources", f"org/project/{first}").get_blob_properties()
    assert again.etag == version.etag
    fetched = await sources.fetch(ArchiveSource(hash=first), "org", "project", tmp_path / "into", cancelled=no)
    assert (tmp_path / "into" / "app.py").read_text() == "kept once"
    assert first[:12] in fetched.summary
    assert fetched.commit is None
    assert await sources.exists("org", "project", first)
    assert not await sources.exists("org", "another", first)


async def test_the_container_is_private():
    found = await sources.store_archive("org", "project", archive("private"))
    blob = blob_service().get_blob_client("deploy-sources", f"org/project/{found}")
    async with httpx.AsyncClient() as anyone:
        assert (await anyone.get(blob.url)).status_code in (403, 404, 409)


async def test_what_is_no_archive_or_too_large_is_not_kept(monkeypatch):
    with pytest.raises(InvalidInput, match="neither a zip nor"):
        await sources.store_archive("org", "project", b"<html>")
    monkeypatch.setattr(uploads, "ROUTE_BYTES", 10)
    with pytest.raises(PayloadTooLarge, match="more than 10 bytes"):
        await sources.store_archive("org", "project", archive("x"))


async def test_a_client_uploads_to_a_signed_url_once(tmp_path):
    data = archive("by url")
    name = hashlib.sha256(data).hexdigest()
    ticket = await sources.upload_url("org", "by-url", name)
    async with httpx.AsyncClient() as client:
        put = await client.put(ticket.url, content=data, headers=ticket.headers)
        assert put.status_code == 201
        again = await client.put(ticket.url, content=b"other", headers=ticket.headers)
        assert again.status_code in (403, 409)
        assert (await client.get(ticket.url)).status_code == 403
    await sources.fetch(ArchiveSource(hash=name), "org", "by-url", tmp_path / "into", cancelled=no)
    assert (tmp_path / "into" / "app.py").read_text() == "by url"


async def test_what_is_not_what_it_is_called_is_thrown_away(tmp_path):
    name = hashlib.sha256(b"announced").hexdigest()
    ticket = await sources.upload_url("org", "liar", name)
    async with httpx.AsyncClient() as client:
        await client.put(ticket.url, content=archive("other"), headers=ticket.headers)
    with pytest.raises(InvalidInput, match="were announced as"):
        await sources.fetch(ArchiveSource(hash=name), "org", "liar", tmp_path / "into", cancelled=no)
    assert not (tmp_path / "into").exists()
    assert not await sources.exists("org", "liar", name)


async def test_an_upload_over_the_limit_is_found_out_when_it_is_used(tmp_path, monkeypatch):
    found = await sources.store_archive("org", "large", archive("x" * 1000))
    monkeypatch.setattr(uploads, "UPLOAD_BYTES", 100)
    with pytest.raises(InvalidInput, match="larger than 100 bytes"):
        await sources.fetch(ArchiveSource(hash=found), "org", "large", tmp_path / "into", cancelled=no)
    assert not await sources.exists("org", "large", found)


async def test_what_nobody_uploaded_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="was uploaded for this project"):
        await sources.fetch(ArchiveSource(hash="0" * 64), "org", "none", tmp_path / "into", cancelled=no)
    with pytest.raises(InvalidInput, match="64 hexadecimal digits"):
        await sources.upload_url("org", "none", "../../other")


async def test_a_cancel_leaves_nothing(tmp_path):
    found = await sources.store_archive("org", "cancelled", archive("x"))

    async def yes() -> bool:
        return True

    real = blob_files.download_blob

    async def endless(*arguments, **options) -> str:
        found = await real(*arguments, **options)
        await asyncio.Event().wait()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blob_files, "download_blob", endless)
        with pytest.raises(TerminalError, match="cancelled"):
            await sources.fetch(ArchiveSource(hash=found), "org", "cancelled", tmp_path / "into", cancelled=yes)
    assert not (tmp_path / "into").exists()
