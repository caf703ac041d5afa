"""All kinds of records, by the names that they have in the log. A name, once written, stays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shared.authcache.log import belongings, sessions, shares, users
from shared.authcache.log.records import Record

_KINDS: tuple[type[Record], ...] = (
    users.UserCreated,
    users.UserChanged,
    users.UserVerified,
    users.AddressChanged,
    users.PasswordChanged,
    users.SessionsEnded,
    users.UserDisabled,
    users.UserEnabled,
    users.UserDeleted,
    shares.ShareGranted,
    shares.ShareRevoked,
    sessions.FamilyStarted,
    sessions.FamilyRotated,
    sessions.FamilyRevoked,
    sessions.FamilyForgotten,
    belongings.PropertySaved,
    belongings.PropertyDeleted,
    belongings.DocumentAdded,
    belongings.DocumentDeleted,
)

KINDS: Mapping[str, type[Record]] = MappingProxyType({one.kind: one for one in _KINDS})
