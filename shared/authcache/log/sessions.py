"""Records of refresh families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from shared.authcache.log.records import Change, Drop, Put, Record, Rows
from shared.authcache.models import RefreshFamily
from shared.authcache.tables import FAMILIES


class FamilyStarted(Record):
    """A user logged in."""

    kind: ClassVar[str] = "family-started"
    id: str
    user: str
    token_hash: str
    expires_at: datetime

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        fields = self.model_dump(exclude={"at"})
        return [Put(FAMILIES, RefreshFamily(**fields, rotated_at=self.at, created_at=self.at))]


class FamilyRotated(Record):
    """A refresh token was exchanged for its successor."""

    kind: ClassVar[str] = "family-rotated"
    id: str
    token_hash: str
    expires_at: datetime

    async def changes(self, rows: Rows) -> Sequence[Change]:
        family = await rows.get(FAMILIES, self.id)
        if family is None or family.revoked_at is not None:
            return []
        rotated = replace(
            family,
            token_hash=self.token_hash,
            previous_hash=family.token_hash,
            rotated_at=self.at,
            expires_at=self.expires_at,
        )
        return [Put(FAMILIES, rotated)]


class FamilyRevoked(Record):
    """The tokens of a log-in are good no longer."""

    kind: ClassVar[str] = "family-revoked"
    id: str

    async def changes(self, rows: Rows) -> Sequence[Change]:
        family = await rows.get(FAMILIES, self.id)
        return [] if family is None else [Put(FAMILIES, replace(family, revoked_at=self.at))]


class FamilyForgotten(Record):
    """A family that expired long ago is kept no longer."""

    kind: ClassVar[str] = "family-forgotten"
    id: str

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        return [Drop(FAMILIES, self.id)]
