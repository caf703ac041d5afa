"""Documents: checked for what they are, handed out while they are shared."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from shared.authcache.accounts import lifecycle, sharing
from shared.authcache.accounts.models import ShareRequest
from shared.authcache.documents import documents
from shared.authcache.documents.models import DocumentFields, UploadTicket
from shared.authcache.store import store
from shared.authcache.tables import DOCUMENTS
from shared.platform.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from shared.platform.stores.blob_files import blob_size
from tests.fresh_settings import forget_settings
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, accounts, registered
from tests.present import present

__all__ = ["accounts"]

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4000
RECEIPT = DocumentFields(file_name="Müll & Co.pdf", document_type="receipt")


@pytest.fixture(autouse=True)
def documents_container(container, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_DOCUMENTS_CONTAINER", f"documents-{container[-20:]}")
    forget_settings()
    return f"documents-{container[-20:]}"


def fetched(url, **request):
    with urllib.request.urlopen(urllib.request.Request(url, **request), timeout=20) as answer:
        return answer.read(), answer.headers


async def link_of(user, document_id):
    view = await store().view()
    made = await documents.link(
        view, present(await view.user_by_id(user.id)), document_id, "https://app.example/content"
    )
    return made, made.url.partition("?token=")[2]


async def test_a_receipt_is_kept_and_read_by_a_link(documents_container):
    ann = await registered("ann@example.com")
    made, lsn = await documents.add(ann, RECEIPT, "application/pdf", PDF)
    stored = present(await (await store().view(lsn)).get(DOCUMENTS, made.id))
    assert stored.blob == f"expenses/{ann.id}/{made.id}.pdf"
    assert (made.size, made.content_type, made.access) == (len(PDF), "application/pdf", "own")
    _, token = await link_of(ann, made.id)
    data, headers = fetched((await documents.open_link(token)).url)
    assert data == PDF
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''M%C3%BCll%20%26%20Co.pdf"
    assert headers["Content-Type"] == "application/pdf"
    await documents.delete(ann, made.id)
    assert await blob_size(documents_container, stored.blob) is None
    with pytest.raises(NotFound):
        await documents.open_link(token)


@pytest.mark.parametrize(
    ("said", "data", "code"),
    [
        ("application/pdf", b"", "empty-file"),
        ("application/pdf", b"MZ\x90\0", "unusable-file"),
        ("text/html", b"<script>", "unusable-file"),
        ("image/png", PDF[:1200], "unusable-file"),
        ("application/pdf", b"%PDF-" + b"x" * 2000, "file-too-large"),
    ],
)
async def test_what_is_not_what_it_is_said_to_be_is_refused_and_kept_nowhere(said, data, code, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_DOCUMENT_BYTES", "1500")
    forget_settings()
    ann = await registered("ann@example.com")
    with pytest.raises(InvalidInput) as refused:
        await documents.add(ann, RECEIPT, said, data)
    assert refused.value.code == code
    assert (await documents.listed(await store().view(), ann, page=1, limit=9)).total == 0


async def test_a_larger_file_goes_straight_to_its_blob_once_and_is_looked_at_there(documents_container):
    ann, eve = await registered("ann@example.com"), await registered("eve@example.com")
    ticket = UploadTicket(file_name="lease.pdf", document_type="lease", content_type="application/pdf")
    place = await documents.begin_upload(ann, ticket)
    with pytest.raises(NotFound, match="Nothing was sent"):
        await documents.finish_upload(ann, place.id, ticket)
    fetched(place.url, data=PDF, method="PUT", headers=place.headers)
    with pytest.raises(urllib.error.HTTPError):
        fetched(place.url, data=b"another", method="PUT", headers=place.headers)
    with pytest.raises(urllib.error.HTTPError):
        fetched(place.url)
    with pytest.raises(NotFound):
        await documents.finish_upload(eve, place.id, ticket)
    made, _ = await documents.finish_upload(ann, place.id, ticket)
    assert (made.id, made.size) == (place.id, len(PDF))
    assert await documents.finish_upload(ann, place.id, ticket) == (made, (await store().view()).lsn)
    with pytest.raises(NotFound):
        await documents.finish_upload(eve, place.id, ticket)

    place = await documents.begin_upload(ann, ticket)
    fetched(place.url, data=b"MZ\x90\0", method="PUT", headers=place.headers)
    with pytest.raises(InvalidInput, match="not of the kind"):
        await documents.finish_upload(ann, place.id, ticket)
    blob = documents.blob_name(ann.id, place.id, "lease", "application/pdf")
    assert await blob_size(documents_container, blob) is None


async def test_a_link_ends_with_the_share():
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    made, _ = await documents.add(ann, RECEIPT, "application/pdf", PDF)
    with pytest.raises(NotFound):
        await link_of(bob, made.id)
    soon = datetime.now(UTC) + timedelta(hours=2)
    share, _ = await sharing.grant(ann, ShareRequest(shared_email="bob@example.com", expires_at=soon))
    link, token = await link_of(bob, made.id)
    assert link.expires_at == soon
    own, _ = await link_of(ann, made.id)
    assert timedelta(hours=23) < own.expires_at - datetime.now(UTC) <= timedelta(hours=24)
    assert fetched((await documents.open_link(token)).url)[0] == PDF
    with pytest.raises(Forbidden):
        await documents.delete(bob, made.id)
    await sharing.revoke(ann, share.id)
    with pytest.raises(NotFound):
        await documents.open_link(token)
    await sharing.grant(ann, ShareRequest(shared_email="bob@example.com"))
    await lifecycle.set_active(bob.id, active=False)
    with pytest.raises(Unauthenticated):
        await documents.open_link(token)


async def test_documents_of_a_property_that_is_not_seen_are_refused():
    ann = await registered("ann@example.com")
    fields = DocumentFields(file_name="a.pdf", property_id="0" * 32)
    with pytest.raises(NotFound):
        await documents.add(ann, fields, "application/pdf", PDF)


async def test_they_end_with_the_account_and_their_files_soon_after(documents_container):
    ann, bob = await registered("ann@example.com"), await registered("bob@example.com")
    made, _ = await documents.add(ann, RECEIPT, "application/pdf", PDF)
    other, _ = await documents.add(bob, RECEIPT, "application/pdf", PDF)
    assert await documents.forget(ann.id, 0) == 0, "who is there loses nothing"
    lsn = await lifecycle.delete(ann, PASSWORD)
    assert [await documents.forget(ann.id, lsn) for _ in range(2)] == [1, 0]
    assert await blob_size(documents_container, f"expenses/{ann.id}/{made.id}.pdf") is None
    assert await blob_size(documents_container, f"expenses/{bob.id}/{other.id}.pdf") == len(PDF)
    assert await (await store().view()).get(DOCUMENTS, made.id) is None
