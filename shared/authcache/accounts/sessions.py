"""Sessions: an access token for a working day, and refresh tokens of which each is exchanged for the next, once.

The refresh tokens of one log-in are a family. It is written down with its first exchange: a log-in costs no write. Who
exchanges a token that was exchanged already gets the same successor for a short grace, as pages with many tabs need;
after that somebody has stolen it, and the family ends.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.authcache.accounts.signing import Purpose, tokens
from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
from shared.authcache.log.sessions import FamilyRevoked, FamilyRotated, FamilyStarted
from shared.authcache.models import RefreshFamily, User
from shared.authcache.reading.view import View
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.authcache.tables import FAMILIES
from shared.platform.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of a session, as of this LSN."""

    access_token: str
    refresh_token: str
    lsn: Lsn


@dataclass(frozen=True, slots=True)
class Family:
    """The refresh tokens of one log-in, as one of them tells: its number says how many came before it."""

    id: str
    user: str
    number: int
    issued: datetime
    expires: datetime

    @property
    def mark(self) -> str:
        """What the family's row holds of this token."""
        return mark(self.id, self.number)


class _Superseded(Exception):
    """The token was exchanged before."""

    def __init__(self, family: RefreshFamily) -> None:
        super().__init__(family.id)
        self.family = family


def mark(family: str, number: int) -> str:
    """Which token of a family is meant. It proves nothing: that the token is ours, its signature proves."""
    return hashlib.sha256(f"{family} {number}".encode()).hexdigest()


def begin(user: User, lsn: Lsn) -> Session:
    """A new session of a user whose password was right, or who needed none."""
    issued = _issued(user)
    expires = issued + timedelta(days=settings().authcache_session_days)
    return _session(user, Family(uuid4().hex, user.id, 0, issued, expires), lsn)


async def reader(token: str, at_least: Lsn) -> tuple[User, str]:
    """Whose access token it is, and the id of its family.

    Args:
        token: an access token.
        at_least: the LSN that the request names; the token's own is looked at besides.

    Raises:
        Unauthenticated: we did not sign it, it has expired, or its session has ended.
        TransientError, InvalidInput: as `Instance.view`.
    """
    claims = tokens(Purpose.ACCESS).read(token)
    view = await store().view(max(at_least, int(claims["lsn"])))
    user = _alive(await view.user_by_id(claims["sub"]), datetime.fromtimestamp(claims["at"], UTC))
    family = await view.get(FAMILIES, claims["fam"])
    if family is not None and family.revoked_at is not None:
        raise session_ended()
    return user, claims["fam"]


async def refresh(token: str) -> Session:
    """The tokens that follow this refresh token.

    Raises:
        Unauthenticated: it is none of ours, or its session has ended, or ends now since it was used before.
        TransientError: as `Store.commit`.
    """
    claims = tokens(Purpose.REFRESH).read(token)
    family = _family(claims)
    users: list[User] = []

    async def check(view: View) -> None:
        users[:] = [_alive(await view.user_by_id(family.user), family.issued)]
        row = await view.get(FAMILIES, family.id)
        if row is None:
            if family.number:
                raise session_ended()
        elif row.revoked_at is not None:
            raise session_ended()
        elif row.token_hash != family.mark:
            raise _Superseded(row)

    at = datetime.now(UTC)
    try:
        lsn = await store().commit(_exchanged(family, at), check=check)
    except _Superseded as superseded:
        row = superseded.family
        if not _in_grace(row, family, at):
            await store().commit([FamilyRevoked(at=at, id=family.id)])
            raise session_ended(
                "The refresh token was used before: its session has been ended.", "token-replayed"
            ) from None
        lsn, at = (await store().view()).lsn, row.rotated_at
    return _session(users[0], _successor(family, at), lsn)


async def end(user: User, family: str) -> Lsn:
    """End one session; others of the user go on."""
    at = datetime.now(UTC)
    records: list[Record] = [FamilyRevoked(at=at, id=family)]
    if await (await store().view()).get(FAMILIES, family) is None:
        expires = at + timedelta(days=settings().authcache_session_days)
        records.insert(0, FamilyStarted(at=at, id=family, user=user.id, token_hash="", expires_at=expires))
    return await store().commit(records)


def _exchanged(family: Family, at: datetime) -> list[Record]:
    rotated = FamilyRotated(at=at, id=family.id, token_hash=_successor(family, at).mark, expires_at=family.expires)
    if family.number:
        return [rotated]
    started = FamilyStarted(at=at, id=family.id, user=family.user, token_hash=family.mark, expires_at=family.expires)
    return [started, rotated]


def _successor(family: Family, at: datetime) -> Family:
    return Family(family.id, family.user, family.number + 1, at, family.expires)


def _in_grace(row: RefreshFamily, family: Family, at: datetime) -> bool:
    grace = timedelta(seconds=settings().authcache_refresh_grace_seconds)
    return row.previous_hash == family.mark and at - row.rotated_at <= grace


def _family(claims: dict[str, Any]) -> Family:
    return Family(
        claims["fam"],
        claims["sub"],
        int(claims["n"]),
        datetime.fromtimestamp(claims["at"], UTC),
        datetime.fromtimestamp(claims["exp"], UTC),
    )


def _session(user: User, family: Family, lsn: Lsn) -> Session:
    """Signs no clock's reading of its own: those who get the same successor get the same token."""
    at = family.issued.timestamp()
    shared = {"sub": user.id, "fam": family.id, "at": at, "iat": int(at)}
    expires = min(family.issued + timedelta(minutes=settings().authcache_token_minutes), family.expires)
    access = {**shared, "email": user.email, "exp": int(expires.timestamp()), "lsn": lsn}
    refreshing = {**shared, "n": family.number, "exp": int(family.expires.timestamp())}
    return Session(tokens(Purpose.ACCESS).sign(access), tokens(Purpose.REFRESH).sign(refreshing), lsn)


def _issued(user: User) -> datetime:
    # Instances' clocks differ: a session that begins after others were ended must not look older than their end.
    now = datetime.now(UTC)
    return max(now, user.sessions_from) if user.sessions_from else now


def _alive(user: User | None, issued: datetime) -> User:
    if user is None or not user.is_active or (user.sessions_from is not None and issued < user.sessions_from):
        raise session_ended()
    return user


def session_ended(message: str = "The session has ended.", code: str = "session-ended") -> Unauthenticated:
    """The refusal of a token whose session is good no longer."""
    return Unauthenticated(message, code=code, remedy="Log in again.")
