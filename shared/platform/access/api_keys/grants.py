"""What clients were granted, read from the database once for many requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.platform.per_loop import PerLoop
from shared.platform.stores.postgres import database, each_statement_commits

if TYPE_CHECKING:
    from collections.abc import Iterable

FRESH_SECONDS = 5.0
USE_NOTED_SECONDS = 60.0
FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A row of platform.api_keys.

    Attributes:
        key_hash: sha256 of the key; None: the client signs its requests.
        organization: the only one the client may act for; None: the grant names none.
        expires_at: None: never.
    """

    id: int
    client_name: str
    key_hash: bytes | None
    permissions: frozenset[str]
    organization: str | None = None
    expires_at: datetime | None = None

    def valid(self) -> bool:
        """Whether it has not expired; revoked ones are not read at all."""
        return self.expires_at is None or self.expires_at > datetime.now(UTC)


@dataclass(slots=True)
class Grants:
    """All active grants. They are few, so all are held: to ask for an unknown one costs neither a query nor more time.

    Attributes:
        by_hash: by sha256 of the key.
        by_client: of those who sign, by the client's name.
    """

    by_hash: dict[bytes, Grant] = field(default_factory=dict[bytes, Grant])
    by_client: dict[str, Grant] = field(default_factory=dict[str, Grant])
    _fresh_until: float = 0.0
    _forget_at: float = 0.0
    _noted: dict[int, float] = field(default_factory=dict[int, float])
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self) -> None:
        """Read them again if they are older than FRESH_SECONDS.

        Raises:
            TransientError: the database did not answer; grants that may have been revoked let nobody in.
        """
        async with self._reading:
            if monotonic() < self._fresh_until:
                return
            read_at = monotonic()
            async with database() as db, each_statement_commits(db):
                answer = await db.execute(
                    "select id, client_name, key_hash, permissions, organization_id, expires_at"
                    " from platform.api_keys where active"
                )
                self._replace(await answer.fetchall())
            self._fresh_until = read_at + FRESH_SECONDS

    def _replace(self, found: Iterable[tuple[Any, ...]]) -> None:
        grants = [Grant(id_, name, hash_, frozenset(may), *rest) for id_, name, hash_, may, *rest in found]
        self.by_hash = {grant.key_hash: grant for grant in grants if grant.key_hash}
        self.by_client = {grant.client_name: grant for grant in grants if grant.key_hash is None}

    async def note_use(self, grant: Grant) -> None:
        """Write down that the grant is in use, at most once a minute."""
        now = monotonic()
        if now - self._noted.get(grant.id, float("-inf")) < USE_NOTED_SECONDS:
            return
        self._noted[grant.id] = now
        async with database() as db, each_statement_commits(db):
            await db.execute(
                "update platform.api_keys set last_used_at = now() where id = %(id)s"
                " and (last_used_at is null or last_used_at < now() - %(seconds)s * interval '1 second')",
                {"id": grant.id, "seconds": USE_NOTED_SECONDS},
            )

    async def first_use(self, client: str, use: bytes, expires_at: datetime) -> bool:
        """Remember a signed request until its signature expires, for all instances; False if it is known already."""
        async with database() as db, each_statement_commits(db):
            remembered = await db.execute(
                "insert into platform.seen_signatures (client_name, signature, expires_at) values (%s, %s, %s)"
                " on conflict do nothing",
                (client, use, expires_at),
            )
            if monotonic() >= self._forget_at:
                self._forget_at = monotonic() + FORGET_SECONDS
                await db.execute("delete from platform.seen_signatures where expires_at < now()")
        return remembered.rowcount == 1


_grants = PerLoop(Grants)


async def grants() -> Grants:
    """The grants of this process, at most FRESH_SECONDS old.

    Raises:
        TransientError: the database did not answer.
    """
    held = _grants.get()
    await held.read()
    return held
