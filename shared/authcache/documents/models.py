"""Documents, as callers send them and are shown them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.authcache.accounts.models import Id
from shared.authcache.documents.content import ContentType
from shared.authcache.models import Document
from shared.platform.models import LazyModel, RequestBody
from shared.platform.printable import Name

Kind = Literal["receipt", "lease", "contract", "statement", "photo", "other"]
FileName = Annotated[Name, Field(pattern=r'^[^/\\:*?"<>|]+$')]


class DocumentFields(RequestBody):
    """What a document is about."""

    file_name: FileName
    document_type: Kind = "other"
    property_id: Id | None = None


class UploadTicket(DocumentFields):
    """A file that the client will send, or has sent, to its blob by itself."""

    content_type: ContentType


class UploadPlace(LazyModel):
    """Where to PUT the file, with which headers and until when; then POST the same ticket to `/documents/{id}`."""

    id: str
    url: str
    headers: dict[str, str]
    expires_at: AwareDatetime


class DocumentAnswer(LazyModel):
    """A document, and what the caller may do with it."""

    id: str
    user_id: str
    property_id: str | None
    document_type: str
    file_name: str
    content_type: str
    size: int = Field(description="Bytes")
    created_at: AwareDatetime
    access: Literal["own", "edit", "read"]

    @classmethod
    def of(cls, row: Document, access: str) -> DocumentAnswer:
        """The document as shown to somebody with this access."""
        names = cls.model_fields.keys() - {"user_id", "access"}
        values = {name: getattr(row, name) for name in names}
        return cls.model_validate(values | {"user_id": row.owner, "access": access})


class DocumentPage(LazyModel):
    """A page of documents, as the lists of this API have them."""

    items: list[DocumentAnswer]
    total: int = Field(description="Of all pages")
    page: int
    limit: int


class DocumentLink(LazyModel):
    """A link to a file."""

    url: str
    expires_at: AwareDatetime


class StraySearch(LazyModel):
    """How far the blobs of documents have been looked at, and how many were deleted.

    Attributes:
        cursor: from where on they are to be looked at; None: from the first one.
    """

    cursor: str | None = None
    deleted: int = 0
    done: bool = False
