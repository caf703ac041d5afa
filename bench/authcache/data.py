"""Users and shares as InvestFlow had them: in Iceberg tables, with its columns alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench.authcache.keys import PASSWORD, email, user_id, viewers
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.iceberg.catalog import catalog, ready
from shared.authcache.settings import settings
from shared.platform.access.passwords.kinds import new_hash

BATCH = 250_000
USERS = pa.schema(
    [
        ("id", pa.string()), ("first_name", pa.string()), ("last_name", pa.string()), ("email", pa.string()),
        ("password_hash", pa.string()), ("tax_rate", pa.decimal128(5, 2)),
        ("mortgage_interest_rate", pa.decimal128(5, 2)), ("loc_interest_rate", pa.decimal128(5, 2)),
        ("created_at", pa.timestamp("us", "UTC")), ("updated_at", pa.timestamp("us", "UTC")),
        ("is_active", pa.bool_()),
    ]
)  # fmt: skip
SHARES = pa.schema(
    [
        ("id", pa.string()), ("user_id", pa.string()), ("shared_email", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")), ("updated_at", pa.timestamp("us", "UTC")),
    ]
)  # fmt: skip


def users_of(users: int) -> Iterator[Any]:
    """The users, in pieces."""
    now = datetime.now(UTC)
    # Hashes differ as real ones do, so that they take as much room.
    random = np.random.default_rng(1)
    for first in range(0, users, BATCH):
        numbers = range(first, min(first + BATCH, users))
        size = len(numbers)
        letters = random.integers(97, 123, (size, 60), np.uint8).view("S60").ravel().astype("U60")
        hashes = [f"$argon2id$v=19$m=19456,t=2,p=1${one}" for one in letters]
        if not first:
            hashes[0] = new_hash(PASSWORD)  # one of them can log in
        names = pa.array([f"Name{number % 5000}" for number in numbers])
        rate = pa.array([None] * size, pa.decimal128(5, 2))
        times = pa.array([now] * size, pa.timestamp("us", "UTC"))
        yield pa.table(
            [
                pa.array([user_id(one) for one in numbers]), names, names, pa.array([email(one) for one in numbers]),
                pa.array(hashes), rate, rate, rate, times, times, pa.array([True] * size),
            ],
            schema=USERS,
        )  # fmt: skip


def shares_of(users: int, each: int) -> Iterator[Any]:
    """The shares, in pieces."""
    now = datetime.now(UTC)
    for first in range(0, users, BATCH // each):
        owners = range(first, min(first + BATCH // each, users))
        pairs = [(owner, viewer) for owner in owners for viewer in viewers(owner, users, each)]
        times = pa.array([now] * len(pairs), pa.timestamp("us", "UTC"))
        ids = pa.array([str(uuid.UUID(int=first * each + place + 1)) for place in range(len(pairs))])
        owned = pa.array([user_id(owner) for owner, _ in pairs])
        shared = pa.array([email(viewer) for _, viewer in pairs])
        yield pa.table([ids, owned, shared, times, times], schema=SHARES)


async def write_tables(users: int, each: int) -> None:
    """Make the Iceberg tables."""
    await ready()
    namespace = settings().authcache_namespace
    catalog().create_namespace_if_not_exists(namespace)
    for name, schema, pieces in (
        ("users", USERS, users_of(users)),
        ("user_shares", SHARES, shares_of(users, each)),
    ):
        table = catalog().create_table((namespace, name), schema=schema)
        for piece in pieces:
            table.append(piece)
