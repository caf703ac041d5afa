"""What others need for the same look-ups, each in a process of its own: `python -m bench.authcache.peers NAME ...`."""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.authcache.keys import email, percentile, user_id, viewers

LOOKS = 20_000


def measured(
    users: int, each: int, share: Callable[[str, str], Any], user: Callable[[str], Any], looks: int
) -> dict[str, float]:
    """Microseconds of a share check, half of which find one, and of finding a user by the address."""
    chance = random.Random(1)
    shares: list[float] = []
    logins: list[float] = []
    for _ in range(looks):
        owner = chance.randrange(users)
        viewer = chance.choice(viewers(owner, users, each)) if chance.random() < 0.5 else chance.randrange(users)
        pair, address = (user_id(owner), email(viewer)), email(chance.randrange(users))
        at = time.perf_counter_ns()
        share(*pair)
        between = time.perf_counter_ns()
        assert user(address)
        shares.append((between - at) / 1000)
        logins.append((time.perf_counter_ns() - between) / 1000)
    memory = int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1]
    )
    return {
        "share_p50_us": percentile(shares, 0.5),
        "share_p99_us": percentile(shares, 0.99),
        "user_p50_us": percentile(logins, 0.5),
        "user_p99_us": percentile(logins, 0.99),
        "rss": memory // 1024,
    }


def dict_of_rows(folder: Path, users: int, each: int) -> dict[str, float]:
    """The seed's way: every row a dict, found in dicts of them."""
    from pyarrow import parquet as library  # noqa: PLC0415 - the peer alone needs it

    parquet: Any = library

    began = time.perf_counter()
    by_address: dict[str, Any] = {}
    for batch in parquet.ParquetFile(folder / "users.parquet").iter_batches():
        by_address |= {row["email"]: row for row in batch.to_pylist()}
    by_pair: dict[tuple[str, str], Any] = {}
    for batch in parquet.ParquetFile(folder / "shares.parquet").iter_batches():
        by_pair |= {(row["user_id"], row["shared_email"]): row for row in batch.to_pylist()}
    loaded = time.perf_counter() - began
    found = measured(users, each, lambda owner, viewer: by_pair.get((owner, viewer)), by_address.get, LOOKS)
    return {"loaded_s": loaded, **found}


def duckdb(folder: Path, users: int, each: int) -> dict[str, float]:
    """DuckDB on the published files."""
    library: Any = importlib.import_module("duckdb")  # of the peers' environment
    connection: Any = library.connect()
    share = f"select 1 from '{folder / 'shares.parquet'}' where user_id = ? and shared_email = ?"
    user = f"select * from '{folder / 'users.parquet'}' where email = ?"
    return measured(
        users,
        each,
        lambda owner, viewer: connection.execute(share, [owner, viewer]).fetchone(),
        lambda address: connection.execute(user, [address]).fetchone(),
        20,
    )


def postgres(dsn: str, users: int, each: int) -> dict[str, float]:
    """PostgreSQL by primary key, on this machine."""
    import psycopg  # noqa: PLC0415 - the peer alone needs it

    with psycopg.connect(dsn, autocommit=True) as connection:

        def one(query: str, *parameters: str) -> Any:
            return connection.execute(query.encode(), parameters, prepare=True).fetchone()

        share = "select 1 from shares where user_id = %s and shared_email = %s"
        return measured(
            users,
            each,
            lambda owner, viewer: one(share, owner, viewer),
            lambda of: one("select * from users where email = %s", of),
            5000,
        )


def redis(path: Path, users: int, each: int) -> dict[str, float]:
    """Redis on this machine, through a socket of the file system; the memory is its server's."""
    from bench.authcache.redis import Redis, memory  # noqa: PLC0415 - the peer alone needs it

    server = Redis(path)
    found = measured(
        users,
        each,
        lambda owner, viewer: server.ask("GET", f"s:{owner}:{viewer}"),
        lambda address: server.ask("GET", f"u:{address}"),
        LOOKS,
    )
    return {**found, "rss": memory(path)}


if __name__ == "__main__":
    _, name, source, many, shared = sys.argv
    peer: Any = {"dict": dict_of_rows, "duckdb": duckdb, "postgres": postgres, "redis": redis}[name]
    print(json.dumps(peer(source if name == "postgres" else Path(source), int(many), int(shared))))
