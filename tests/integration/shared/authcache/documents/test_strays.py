"""Blobs that no document names are deleted once they are a day old, and nothing else is."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.authcache.base import repair
from shared.authcache.documents import documents, strays
from shared.authcache.documents.models import StraySearch, UploadTicket
from shared.authcache.log.belongings import DocumentAdded
from shared.authcache.log.users import UserDeleted
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.platform.errors import NotFound
from shared.platform.stores.blob_files import create_blob, delete_blob, each_blob
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_store
from tests.integration.shared.authcache.accounts.conftest import accounts, registered
from tests.integration.shared.authcache.conftest import folded
from tests.integration.shared.authcache.documents.test_documents import PDF, RECEIPT, documents_container

__all__ = ["accounts", "documents_container"]


@pytest.fixture(autouse=True)
async def base(accounts):
    """Before there is one nothing is deleted."""
    await registered("first@example.com")
    await folded()
    await asyncio.sleep(1.1)  # the service stamps blobs by the second


LEASE = UploadTicket(file_name="lease.pdf", document_type="lease", content_type="application/pdf")


def later(monkeypatch, module, **passed):
    """So much time has passed for what the module does."""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(**passed)

    monkeypatch.setattr(module, "datetime", Later)


async def blobs(container):
    return {blob.name async for blob in each_blob(container, "")}


async def searched():
    search = StraySearch()
    while not search.done:
        search = await strays.delete_strays(search)
    return search.deleted


async def sent(container, owner, number):
    name = documents.blob_name(owner, f"{number:032x}", "lease", "application/pdf")
    await create_blob(container, name, PDF)
    return name


async def test_what_no_document_names_is_deleted_after_a_day(documents_container, monkeypatch):
    monkeypatch.setattr(strays, "PAGE", 2)
    monkeypatch.setattr(strays, "BOX_SECONDS", 0)
    ann = await registered("ann@example.com")
    made, _ = await documents.add(ann, RECEIPT, "application/pdf", PDF)
    others = {"expenses/ann/scan 1.pdf", f"user_documents/{ann.id}/old.pdf", f"{'0' * 32}.pdf"}
    for name in others:
        await create_blob(documents_container, name, PDF)
    unfinished = {await sent(documents_container, ann.id, number) for number in range(5)}
    removed, _ = await documents.add(ann, RECEIPT, "application/pdf", PDF)
    await documents.delete(ann, removed.id)
    again = documents.blob_name(ann.id, removed.id, "receipt", "application/pdf")
    await create_blob(documents_container, again, PDF)
    named = documents.blob_name(ann.id, made.id, "receipt", "application/pdf")
    assert await searched() == 0
    assert await blobs(documents_container) == {named, again, *others, *unfinished}
    later(monkeypatch, strays, hours=25)
    assert await searched() == 6
    assert await blobs(documents_container) == {named, *others}


async def test_a_document_that_another_instance_has_just_added_is_none(documents_container, instances, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_REFRESH_SECONDS", "300")
    forget_settings()
    ann = await registered("ann@example.com")
    name = await sent(documents_container, ann.id, 1)
    await store().view()
    added = DocumentAdded(
        at=datetime.now(UTC), id=documents.document_of(name), owner=ann.id, content_type="application/pdf",
        size=len(PDF), blob=name, file_name="lease.pdf", document_type="lease", property_id=None,
    )  # fmt: skip
    await instances().commit([added])
    later(monkeypatch, strays, hours=25)
    assert await searched() == 0
    assert await blobs(documents_container) == {name}


async def test_what_may_be_deleted_soon_becomes_no_document(documents_container, monkeypatch):
    ann = await registered("ann@example.com")
    name = await sent(documents_container, ann.id, 1)
    later(monkeypatch, documents, hours=23, minutes=1)
    with pytest.raises(NotFound) as refused:
        await documents.finish_upload(ann, documents.document_of(name), LEASE)
    assert refused.value.code == "upload-expired"


async def test_what_was_there_when_rows_were_lost_stays(documents_container, monkeypatch):
    ann = await registered("ann@example.com")
    kept = await sent(documents_container, ann.id, 1)
    await asyncio.sleep(1.1)
    await repair.made_from_tables()
    await asyncio.sleep(1.1)
    await sent(documents_container, ann.id, 2)
    later(monkeypatch, strays, hours=25)
    assert await searched() == 1
    assert await blobs(documents_container) == {kept}


async def test_nothing_is_deleted_before_there_is_a_base(documents_container, monkeypatch):
    ann = await registered("ann@example.com")
    await documents.add(ann, RECEIPT, "application/pdf", PDF)
    before = await blobs(documents_container)
    async for blob in each_blob(settings().authcache_container, ""):  # as if it had been emptied
        await delete_blob(settings().authcache_container, blob.name)
    await close_store()
    later(monkeypatch, strays, hours=25)
    assert await searched() == 0
    assert await blobs(documents_container) == before


async def given_away(container):
    """A file of a user whose document is another's, by a change of the Iceberg tables; who the first is."""
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    name = await sent(container, ann.id, 1)
    given = DocumentAdded(
        at=datetime.now(UTC), id=documents.document_of(name), owner=bob.id, content_type="application/pdf",
        size=len(PDF), blob=name, file_name="lease.pdf", document_type="lease", property_id=None,
    )  # fmt: skip
    await store().commit([given])
    return name, ann


async def test_a_document_that_was_given_to_another_user_is_no_stray(documents_container, monkeypatch):
    name, _ = await given_away(documents_container)
    later(monkeypatch, strays, hours=25)
    assert await searched() == 0
    assert await blobs(documents_container) == {name}


async def test_a_document_that_was_given_to_another_user_survives_the_first_ones_account(documents_container):
    name, ann = await given_away(documents_container)
    await sent(documents_container, ann.id, 2)
    lsn = await store().commit([UserDeleted(at=datetime.now(UTC), user=ann.id)])
    assert await documents.forget(ann.id, lsn) == 1
    assert await blobs(documents_container) == {name}
