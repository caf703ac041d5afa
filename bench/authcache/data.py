"""Users and shares as InvestFlow had them: in Iceberg tables, with its columns alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shared.authcache.base.pyarrow import compute, pa
from shared.authcache.iceberg.catalog import catalog, ready
from shared.authcache.settings import settings

BATCH = 250_000
PASSWORD = "correct horse battery staple"
_EMPTY = pa.nulls(0, pa.string())
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


def user_id(number: int) -> str:
    """The id of a user, the same in every run."""
    return str(uuid.UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)))


def email(number: int) -> str:
    """The address of a user."""
    return f"user{number}@example.com"


def viewers(number: int, users: int, each: int) -> list[int]:
    """Whom a user shares with."""
    return [(number * 7 + 13 * step + 1) % users for step in range(each)]


def users_of(users: int) -> Iterator[Any]:
    """The users, in pieces."""
    now = datetime.now(UTC)
    # Hashes differ as real ones do, so that they take as much room.
    random = np.random.default_rng(1)
    for first in range(0, users, BATCH):
        numbers = range(first, min(first + BATCH, users))
        size = len(numbers)
        letters = random.integers(97, 123, (size, 60), np.uint8).view("S60").ravel().astype("U60")
        hashes = pa.array([f"$argon2id$v=19$m=19456,t=2,p=1${one}" for one in letters])
        names = pa.array([f"Name{number % 5000}" for number in numbers])
        rate = pa.array([None] * size, pa.decimal128(5, 2))
        times = pa.array([now] * size, pa.timestamp("us", "UTC"))
        yield pa.table(
            [
                pa.array([user_id(one) for one in numbers]), names, names, pa.array([email(one) for one in numbers]),
                hashes, rate, rate, rate, times, times, pa.array([True] * size),
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


__all__ = ["PASSWORD", "compute", "email", "user_id", "viewers", "write_tables"]
