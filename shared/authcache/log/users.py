"""Records of users."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.authcache.log.records import Change, Drop, Put, Record, Rows
from shared.authcache.models import User
from shared.authcache.tables import DOCUMENTS, FAMILIES, PROPERTIES, SHARES, USERS

Rate = Annotated[Decimal, Field(max_digits=5, decimal_places=2)]
"""What a rate's column holds."""


class UserCreated(Record):
    """Somebody registered, or was brought in from elsewhere."""

    kind: ClassVar[str] = "user-created"
    id: str
    email: str
    address: str
    first_name: str
    last_name: str
    password_hash: str
    tax_rate: Rate | None = None
    mortgage_interest_rate: Rate | None = None
    loc_interest_rate: Rate | None = None
    verified: bool = False

    async def changes(self, rows: Rows) -> Sequence[Change]:  # noqa: ARG002 - it needs no rows before it
        fields: dict[str, Any] = self.model_dump(exclude={"at", "verified"})
        verified_at = self.at if self.verified else None
        return [Put(USERS, User(**fields, created_at=self.at, updated_at=self.at, verified_at=verified_at))]


class _OfUser(Record):
    """A record that changes fields of one user."""

    user: str

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """The fields that it changes, with their new values."""

    async def changes(self, rows: Rows) -> Sequence[Change]:
        user = await rows.get(USERS, self.user)
        return [] if user is None else [Put(USERS, replace(user, updated_at=self.at, **self.fields()))]


class UserChanged(_OfUser):
    """A user changed their profile; fields that are not named stay."""

    kind: ClassVar[str] = "user-changed"
    first_name: str | None = None
    last_name: str | None = None
    tax_rate: Rate | None = None
    mortgage_interest_rate: Rate | None = None
    loc_interest_rate: Rate | None = None

    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"user", "at"}}


class UserVerified(_OfUser):
    """A user showed that the address is theirs. One that was changed meanwhile is not verified by it."""

    kind: ClassVar[str] = "user-verified"
    address: str

    def fields(self) -> dict[str, Any]:
        return {"verified_at": self.at}

    async def changes(self, rows: Rows) -> Sequence[Change]:
        user = await rows.get(USERS, self.user)
        return await super().changes(rows) if user is not None and user.address == self.address else []


class AddressChanged(_OfUser):
    """A user has another address."""

    kind: ClassVar[str] = "address-changed"
    email: str
    address: str
    verified: bool = False

    def fields(self) -> dict[str, Any]:
        return {"email": self.email, "address": self.address, "verified_at": self.at if self.verified else None}


class PasswordChanged(_OfUser):
    """A user has another password, or the same with a better hash, which ends no session."""

    kind: ClassVar[str] = "password-changed"
    password_hash: str
    ends_sessions: bool = True

    def fields(self) -> dict[str, Any]:
        ended = {"sessions_from": self.at} if self.ends_sessions else {}
        return {"password_hash": self.password_hash, **ended}


class SessionsEnded(_OfUser):
    """A user logged out everywhere."""

    kind: ClassVar[str] = "sessions-ended"

    def fields(self) -> dict[str, Any]:
        return {"sessions_from": self.at}


class UserDisabled(_OfUser):
    """An operator took a user's access away, and their sessions with it."""

    kind: ClassVar[str] = "user-disabled"

    def fields(self) -> dict[str, Any]:
        return {"is_active": False, "sessions_from": self.at}


class UserEnabled(_OfUser):
    """An operator gave a user's access back."""

    kind: ClassVar[str] = "user-enabled"

    def fields(self) -> dict[str, Any]:
        return {"is_active": True}


class UserDeleted(Record):
    """A user is no more, nor what is theirs: shares, sessions, properties, documents.

    What others share with the address stays theirs.
    """

    kind: ClassVar[str] = "user-deleted"
    user: str

    async def changes(self, rows: Rows) -> Sequence[Change]:
        shares = await rows.find(SHARES, "owner", self.user)
        families = await rows.find(FAMILIES, "user", self.user)
        properties = await rows.find(PROPERTIES, "owner", self.user)
        documents = await rows.find(DOCUMENTS, "owner", self.user)
        return [
            Drop(USERS, self.user),
            *(Drop(SHARES, share.id) for share in shares),
            *(Drop(FAMILIES, family.id) for family in families),
            *(Drop(PROPERTIES, one.id) for one in properties),
            *(Drop(DOCUMENTS, one.id) for one in documents),
        ]
