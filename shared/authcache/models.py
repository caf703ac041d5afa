"""The rows that the auth cache holds. Times are aware and UTC; an address is the key that an e-mail is known by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who can log in.

    Attributes:
        email: as its owner wrote it; mails go there.
        address: the key that the e-mail is found and compared by.
        verified_at: when its owner showed that the address is theirs; None: not yet, and nothing shared is visible.
        sessions_from: tokens that were made before are void; None: none is.
    """

    id: str
    email: str
    address: str
    first_name: str
    last_name: str
    password_hash: str
    tax_rate: Decimal | None = None
    mortgage_interest_rate: Decimal | None = None
    loc_interest_rate: Decimal | None = None
    created_at: datetime
    updated_at: datetime
    is_active: bool = True
    verified_at: datetime | None = None
    sessions_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """That an owner lets somebody see what is theirs.

    Attributes:
        owner: the id of the user who shares.
        shared_email: whom they share with, as they wrote it.
        viewer: the same as the key that addresses are compared by.
        level: what the viewer may do, in the terms of who grants.
        expires_at: from when on it holds no longer; None: until it is revoked.
    """

    id: str
    owner: str
    shared_email: str
    viewer: str
    level: str
    expires_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshFamily:
    """The refresh tokens that follow one log-in, of which the newest alone is good.

    Attributes:
        user: the id of the user who logged in.
        token_hash: of the newest token.
        previous_hash: of the one before, which is good for a short while after `rotated_at`.
        revoked_at: from when on no token of the family is good; None: they are.
    """

    id: str
    user: str
    token_hash: str
    previous_hash: str | None = None
    rotated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property that a user keeps.

    Attributes:
        owner: the id of the user.
        purchase_date: a day, as ISO 8601 writes it.
    """

    id: str
    owner: str
    display_name: str
    property_type: str
    status: str
    street: str
    city: str
    state: str
    zip_code: str
    purchase_date: str | None = None
    purchase_price: Decimal | None = None
    market_value: Decimal | None = None
    monthly_rent: Decimal | None = None
    notes: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that a user keeps.

    Attributes:
        owner: the id of the user.
        property_id: what it is about, if anything.
        content_type: what its bytes show it to be.
        size: bytes.
        blob: its name in the container of documents.
    """

    id: str
    owner: str
    property_id: str | None = None
    document_type: str
    file_name: str
    content_type: str
    size: int
    blob: str
    created_at: datetime
    updated_at: datetime
