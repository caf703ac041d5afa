"""Rows of the auth cache, each with what a test does not look at filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.authcache.models import Document, Property, RefreshFamily, Share, User

AT = datetime(2026, 1, 1, tzinfo=UTC)


def user(user_id: str, address: str = "", **fields: Any) -> User:
    """A user of this address, or of one that is made of the id."""
    address = address or f"{user_id}@example.com"
    given: dict[str, Any] = {
        "first_name": "Ann",
        "last_name": "Lee",
        "password_hash": "hash",
        "created_at": AT,
        "updated_at": AT,
    }
    return User(id=user_id, email=address, address=address, **(given | fields))


def share(share_id: str, owner: str, viewer: str, **fields: Any) -> Share:
    """A share of the owner's with that address."""
    given: dict[str, Any] = {"level": "read", "created_at": AT, "updated_at": AT}
    return Share(id=share_id, owner=owner, shared_email=viewer, viewer=viewer, **(given | fields))


def family(family_id: str, user_id: str) -> RefreshFamily:
    """A session of the user."""
    return RefreshFamily(id=family_id, user=user_id, token_hash="", rotated_at=AT, expires_at=AT, created_at=AT)


def owned_property(property_id: str, owner: str, **fields: Any) -> Property:
    """A property of the owner's."""
    texts: dict[str, Any] = dict.fromkeys(
        ("display_name", "property_type", "status", "street", "city", "state", "zip_code", "notes"), "text"
    )
    return Property(id=property_id, owner=owner, **(texts | fields), created_at=AT, updated_at=AT)


def document(document_id: str, owner: str) -> Document:
    """A document of the owner's."""
    return Document(
        id=document_id, owner=owner, document_type="other", file_name="a.txt", content_type="text/plain", size=1,
        blob="blob", created_at=AT, updated_at=AT,
    )  # fmt: skip
