"""Consolidation beside its peer: one plain INSERT ... SELECT of the finished diamonds into a table of the same kind.

The peer's table has the columns, generated columns, defaults, checks, indexes and fill factor of diamonds.diamonds, and
was there before, so that the INSERT writes WAL as consolidation does. The peer reads finished rows: it maps and prices
nothing, meets no row that was there before, leaves no mark on the raw rows, and counts nothing. Two lighter ones are
shown as well: a table with the indexes alone, and one made in the same transaction, for which no WAL is written at all.
"""

from __future__ import annotations

import time
from enum import Enum

import psycopg
from psycopg import sql

from bench.report import ratio


class Peer(Enum):
    """What the INSERT writes to."""

    SAME_KIND = "a table of the same kind"
    INDEXES = "a table with the same indexes alone"
    UNLOGGED = "such a table, without WAL"


def plain(dsn: str, peer: Peer) -> float:
    """Seconds of the INSERT with its commit."""
    with psycopg.connect(dsn) as connection:
        connection.execute("drop table if exists plain")
        if peer is Peer.SAME_KIND:
            connection.execute("create table plain (like diamonds.diamonds including all)")
            connection.execute("alter table plain set (fillfactor = 50)")  # which is not copied
        else:
            connection.execute("create table plain (like diamonds.diamonds including indexes)")
        if peer is not Peer.UNLOGGED:
            connection.commit()
        columns = sql.SQL(", ").join(map(sql.Identifier, _columns(connection, computed=peer is not Peer.SAME_KIND)))
        insert = sql.SQL("insert into plain ({0}) select {0} from diamonds.diamonds").format(columns)
        began = time.perf_counter()
        connection.execute(insert)
        connection.commit()
        return time.perf_counter() - began


def _columns(connection: psycopg.Connection, *, computed: bool) -> list[str]:
    """Those of the diamonds; `computed`: also those that a table of the same kind fills itself."""
    found = connection.execute(
        "select attname from pg_attribute where attrelid = 'diamonds.diamonds'::regclass and attnum > 0"
        " and not attisdropped and (%s or attgenerated = '' and attidentity = '') order by attnum",
        (computed,),
    )
    return [name for (name,) in found]


def beside(dsn: str, size: int, seconds: dict[Peer, float]) -> str:
    """The run's rows/s, beside those of each peer."""
    ours = size / _consolidating(dsn)
    peers = "; ".join(
        f"{peer.value} {size / spent:,.0f}, {ratio(ours, size / spent)}" for peer, spent in seconds.items()
    )
    return f"Consolidation of {size:,} diamonds: {ours:,.0f} rows/s. One plain INSERT ... SELECT into {peers}."


def _consolidating(dsn: str) -> float:
    """Seconds from the first claim's beginning until the last one's end.

    A row tells when its claim began. The last claim of each worker is taken to last as long as its others.
    """
    with psycopg.connect(dsn) as connection:
        [spent] = connection.execute(
            "select extract(epoch from max(ended) - min(began)) from (select min(consolidated_at) as began,"
            " max(consolidated_at) + (max(consolidated_at) - min(consolidated_at))"
            " / greatest(count(distinct consolidated_at) - 1, 1) as ended"
            " from diamonds.raw_diamonds group by claimed_by) workers"
        ).fetchone() or (None,)
    return max(float(spent or 0), 0.001)
