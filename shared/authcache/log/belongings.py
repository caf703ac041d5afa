"""Records of properties and documents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from shared.authcache.log.records import Change, Drop, Put, Record, Rows
from shared.authcache.models import Document, Property
from shared.authcache.tables import DOCUMENTS, PROPERTIES, USERS


class PropertySaved(Record):
    """A property is new, or is as it says from now on; of a user who is no more there is none."""

    kind: ClassVar[str] = "property-saved"
    id: str
    owner: str
    display_name: str
    property_type: str
    status: str
    street: str
    city: str
    state: str
    zip_code: str
    purchase_date: str | None
    purchase_price: Decimal | None
    market_value: Decimal | None
    monthly_rent: Decimal | None
    notes: str

    async def changes(self, rows: Rows) -> Sequence[Change]:
        if await rows.get(USERS, self.owner) is None:
            return []
        earlier = await rows.get(PROPERTIES, self.id)
        created_at = earlier.created_at if earlier else self.at
        return [Put(PROPERTIES, Property(**self.model_dump(exclude={"at"}), created_at=created_at, updated_at=self.at))]


class PropertyDeleted(Record):
    """A property is no more; documents about it stay their owner's."""

    kind: ClassVar[str] = "property-deleted"
    id: str

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        return [Drop(PROPERTIES, self.id)]


class DocumentAdded(Record):
    """A document was uploaded, and its blob is there; of a user who is no more there is none."""

    kind: ClassVar[str] = "document-added"
    id: str
    owner: str
    property_id: str | None
    document_type: str
    file_name: str
    content_type: str
    size: int
    blob: str

    async def changes(self, rows: Rows) -> Sequence[Change]:
        if await rows.get(USERS, self.owner) is None:
            return []
        return [Put(DOCUMENTS, Document(**self.model_dump(exclude={"at"}), created_at=self.at, updated_at=self.at))]


class DocumentDeleted(Record):
    """A document is no more; its blob goes after it."""

    kind: ClassVar[str] = "document-deleted"
    id: str

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        return [Drop(DOCUMENTS, self.id)]
