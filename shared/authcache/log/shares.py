"""Records of shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from shared.authcache.log.records import Change, Drop, Put, Record, Rows
from shared.authcache.models import Share
from shared.authcache.tables import SHARES, USERS


class ShareGranted(Record):
    """A user lets somebody see what is theirs; of a user who is no more it grants nothing."""

    kind: ClassVar[str] = "share-granted"
    id: str
    owner: str
    shared_email: str
    viewer: str
    level: str
    expires_at: datetime | None = None

    async def changes(self, rows: Rows) -> Sequence[Change]:
        if await rows.get(USERS, self.owner) is None:
            return []
        earlier = await rows.get(SHARES, self.id)
        created_at = earlier.created_at if earlier else self.at
        share = Share(**self.model_dump(exclude={"at"}), created_at=created_at, updated_at=self.at)
        return [Put(SHARES, share)]


class ShareRevoked(Record):
    """A user lets somebody see it no longer."""

    kind: ClassVar[str] = "share-revoked"
    id: str

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        return [Drop(SHARES, self.id)]
