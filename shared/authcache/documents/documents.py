"""Documents: uploaded, checked for what they are, listed, and handed out by links that end with the share.

A file goes through the app, or straight to its blob by an address that creates this blob and nothing else; the row that
makes it a document is written once the blob is there and is what it has to be. A blob without a row is shown to nobody,
and deleted after a day or with its owner's account.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from shared.authcache.accounts import sharing
from shared.authcache.accounts.signing import Purpose, tokens
from shared.authcache.accounts.users import user_exists
from shared.authcache.documents.content import EXTENSIONS, HEAD_BYTES, kind_of
from shared.authcache.documents.models import (
    DocumentAnswer,
    DocumentFields,
    DocumentLink,
    DocumentPage,
    UploadPlace,
    UploadTicket,
)
from shared.authcache.log.belongings import DocumentAdded, DocumentDeleted
from shared.authcache.log.groups import Lsn
from shared.authcache.models import Document, User
from shared.authcache.properties import properties
from shared.authcache.reading.view import View
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.authcache.tables import DOCUMENTS
from shared.platform.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from shared.platform.stores.blob_files import blob_details, create_blob, delete_blob, each_blob
from shared.platform.stores.blobs import read_range
from shared.platform.stores.signed_urls import SignedUrl, create_url, read_url

LINK_HOURS: Final = 24
FOLDERS: Final = ("expenses", "user_documents")
HANDED_OUT: Final = timedelta(seconds=60)
"""For which the blob's own address is good, which a link leads to."""
UPLOAD_MINUTES: Final = 60
FINISHED_WITHIN: Final = timedelta(hours=23)
"""After it was sent, a file becomes a document or is deleted."""
CHUNK_BYTES: Final = 256 * 1024


async def add(user: User, fields: DocumentFields, claimed: str, data: bytes) -> tuple[DocumentAnswer, Lsn]:
    """Keep a file that came through the app.

    Raises:
        InvalidInput: it is empty, too large, or not of a kind that may be uploaded.
        NotFound: there is no such property for the user.
        Conflict, TransientError: as `Store.commit`; then the blob stays without a row.
    """
    await _may_belong(user, fields)
    kind = _checked(data[:HEAD_BYTES], len(data), claimed)
    document_id = uuid4().hex
    blob = blob_name(user.id, document_id, fields.document_type, kind)
    await create_blob(settings().authcache_documents_container, blob, _chunks(data))
    return await _record(user, fields, kind=kind, size=len(data), blob=blob)


async def begin_upload(user: User, fields: UploadTicket) -> UploadPlace:
    """An address to which the client itself sends the file; `finish_upload` makes it a document."""
    document_id = uuid4().hex
    blob = blob_name(user.id, document_id, fields.document_type, fields.content_type)
    place = await create_url(settings().authcache_documents_container, blob, timedelta(minutes=UPLOAD_MINUTES))
    return UploadPlace(
        id=document_id,
        url=place.url,
        headers={"x-ms-blob-type": "BlockBlob", "Content-Type": fields.content_type},
        expires_at=place.expires_at,
    )


async def finish_upload(user: User, document_id: str, ticket: UploadTicket) -> tuple[DocumentAnswer, Lsn]:
    """Make a document of what was sent to the address; may be repeated. What is not what it was said to be is deleted.

    Raises:
        NotFound: nothing was sent there, or longer ago than FINISHED_WITHIN.
        InvalidInput: as `add`.
    """
    fields = DocumentFields.model_validate(ticket.model_dump(exclude={"content_type"}))
    earlier = await (await store().view()).get(DOCUMENTS, document_id)
    if earlier is not None:
        if earlier.owner != user.id:
            raise _unknown()
        return DocumentAnswer.of(earlier, properties.OWN), (await store().view()).lsn
    await _may_belong(user, fields)
    container = settings().authcache_documents_container
    blob = blob_name(user.id, document_id, fields.document_type, ticket.content_type)
    sent = await blob_details(container, blob)
    if sent is None:
        raise NotFound("Nothing was sent there yet.", code="upload-missing", remedy="Send the file, then come again.")
    if datetime.now(UTC) - sent.modified > FINISHED_WITHIN:
        raise NotFound("It was sent too long ago.", code="upload-expired", remedy="Begin another upload.")
    try:
        head = await read_range(container, blob, 0, min(sent.size, HEAD_BYTES)) if sent.size else b""
        kind = _checked(head or b"", sent.size, ticket.content_type)
    except InvalidInput:
        await delete_blob(container, blob)
        raise
    return await _record(user, fields, kind=kind, size=sent.size, blob=blob)


async def listed(view: View, user: User, *, page: int, limit: int) -> DocumentPage:
    """The user's documents and those that others share with the user, the newest first."""
    levels = {user.id: properties.OWN} | {row.owner.id: row.level for row in await sharing.with_me(view, user)}
    rows = [row for owner in levels for row in await view.find(DOCUMENTS, "owner", owner)]
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    first = (page - 1) * limit
    items = [DocumentAnswer.of(row, levels[row.owner]) for row in rows[first : first + limit]]
    return DocumentPage(items=items, total=len(rows), page=page, limit=limit)


async def link(view: View, user: User, document_id: str, at: str) -> DocumentLink:
    """A link to the file for at most a day; it ends with the share that lets the user see it.

    Args:
        view: the rows that say whether the user may see it.
        user: who gets the link.
        document_id: of the document.
        at: address of the route that the link leads to.

    Raises:
        NotFound: there is no such document for the user.
    """
    document, until = await _seen(view, user, document_id)
    now = datetime.now(UTC)
    expires = min(now + timedelta(hours=LINK_HOURS), until or datetime.max.replace(tzinfo=UTC))
    claims = {"sub": user.id, "doc": document.id, "iat": int(now.timestamp()), "exp": int(expires.timestamp())}
    token = tokens(Purpose.DOCUMENT).sign(claims | {"lsn": view.lsn})
    return DocumentLink(url=f"{at}?token={token}", expires_at=expires)


async def open_link(token: str) -> SignedUrl:
    """Where the file of a link lies, for a minute; whether the user may still see it is looked at each time.

    Raises:
        Unauthenticated: the link is none of ours, or has expired.
        NotFound: the document is no more, or is shared with the user no longer.
    """
    claims = tokens(Purpose.DOCUMENT).read(token)
    view = await store().view(claims["lsn"])
    user = await view.user_by_id(claims["sub"])
    ended = user is not None and user.sessions_from is not None and claims["iat"] < int(user.sessions_from.timestamp())
    if user is None or not user.is_active or ended:  # whoever had the session may have made the link
        raise Unauthenticated("The link is good no longer.", code="link-refused", remedy="Log in, and ask for another.")
    document, until = await _seen(view, user, claims["doc"])
    left = HANDED_OUT if until is None else min(HANDED_OUT, until - datetime.now(UTC))
    return await read_url(
        settings().authcache_documents_container,
        document.blob,
        left,
        file_name=document.file_name,
        content_type=document.content_type,
    )


async def delete(user: User, document_id: str) -> Lsn:
    """Delete one's own document, and then its blob.

    Raises:
        NotFound: there is no such document for the user.
        Forbidden: it is somebody else's.
    """
    deleted: list[Document] = []

    async def check(view: View) -> None:
        document, _ = await _seen(view, user, document_id)
        if document.owner != user.id:
            raise Forbidden("Only its owner deletes a document.", code="not-the-owner")
        deleted[:] = [document]

    lsn = await store().commit([DocumentDeleted(at=datetime.now(UTC), id=document_id)], check=check)
    await delete_blob(settings().authcache_documents_container, deleted[0].blob)
    return lsn


async def forget(user_id: str, at_least: Lsn) -> int:
    """Delete all files of a user who is no more, and how many there were. Of one who is there none is deleted."""
    view = await store().view(at_least)
    if await view.user_by_id(user_id) is not None:
        return 0
    container, deleted = settings().authcache_documents_container, 0
    for folder in FOLDERS:
        async for blob in each_blob(container, f"{folder}/{user_id}/"):
            document = await view.get(DOCUMENTS, document_of(blob.name))
            if document is None or document.owner == user_id:  # else another user's now, by a change of the tables
                deleted += await delete_blob(container, blob.name)
    return deleted


def blob_name(owner: str, document_id: str, document_type: str, kind: str) -> str:
    """Where a document's blob lies: receipts apart from all else."""
    folder = FOLDERS[0] if document_type == "receipt" else FOLDERS[1]
    return f"{folder}/{owner}/{document_id}.{EXTENSIONS[kind]}"


def document_of(blob: str) -> str:
    """The id of the document that a blob belongs to."""
    return blob.rpartition("/")[2].partition(".")[0]


async def _record(user: User, fields: DocumentFields, *, kind: str, size: int, blob: str) -> tuple[DocumentAnswer, Lsn]:
    added = DocumentAdded(
        at=datetime.now(UTC),
        id=document_of(blob),
        owner=user.id,
        content_type=kind,
        size=size,
        blob=blob,
        **fields.model_dump(),
    )
    lsn = await store().commit([added], check=user_exists(user.id))
    stored = Document(**added.model_dump(exclude={"at"}), created_at=added.at, updated_at=added.at)
    return DocumentAnswer.of(stored, properties.OWN), lsn


async def _may_belong(user: User, fields: DocumentFields) -> None:
    if fields.property_id is not None:
        await properties.read(await store().view(), user, fields.property_id)


async def _seen(view: View, user: User, document_id: str) -> tuple[Document, datetime | None]:
    """The document, and until when the user may see it; None: no end is set."""
    document = await view.get(DOCUMENTS, document_id)
    if document is not None:
        if document.owner == user.id:
            return document, None
        owner = await view.user_by_id(document.owner)
        share = await sharing.access(view, user, document.owner)
        if share is not None and owner is not None and owner.is_active:
            return document, share.expires_at
    raise _unknown()


def _checked(head: bytes, size: int, claimed: str) -> str:
    most = settings().authcache_document_bytes
    if not size:
        raise InvalidInput("The file is empty.", field="file", code="empty-file")
    if size > most:
        raise InvalidInput(f"The file is larger than {most:,} bytes.", field="file", code="file-too-large")
    kind = kind_of(head, claimed)
    if kind is None:
        raise _unusable_kind()
    return kind


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def _unusable_kind() -> InvalidInput:
    return InvalidInput(
        "The file is of no kind that may be uploaded, or not of the kind that it is said to be.",
        field="file",
        code="unusable-file",
        remedy=f"Upload one of {', '.join(EXTENSIONS)}, and name its real content type.",
    )


def _unknown() -> NotFound:
    return NotFound("There is no such document, or not for you.", code="unknown-document")
