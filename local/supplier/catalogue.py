"""The supplier's stock in an in-memory SQLite database: found by price and change date, changing while it is read."""

import random
import sqlite3
import time
import uuid
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from local.supplier.dataset import Stone, load

Order = Literal["createdAt", "price", "none"]

DATA_SET_SIZE = 53_940
_NAMESPACE = uuid.UUID("6f8b6b0e-6d0b-5c51-9d3a-1c1f0b8f5a4e")
_FIRST_CHANGE = 1735689600  # 2025-01-01T00:00:00Z
_CACHED_SEARCHES = 64

_TABLE = """
CREATE TABLE stone (
    n INTEGER PRIMARY KEY, source INTEGER NOT NULL, price INTEGER NOT NULL, carats REAL NOT NULL, shape TEXT NOT NULL,
    color TEXT NOT NULL, lab_grown INTEGER NOT NULL, has_image INTEGER NOT NULL, has_v360 INTEGER NOT NULL,
    availability TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL)
"""

# Row n > size of the data set is a replica: the same stone under another id, its price up to 3 % away, so that a
# heatmap of replicas is as uneven as the real one but not a copy of it. mix(n) as in dataset.py.
_REPLICATE = """
WITH RECURSIVE number(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :end),
    bits(n, b) AS (SELECT n, (n + 1) * 2654435761 & 4294967295 FROM number)
INSERT INTO stone
SELECT bits.n, source, max(1, price + price * ((b >> 9) % 61 - 30) / 1000), carats, shape, color, lab_grown,
    has_image, has_v360, availability, :epoch + b % 31536000 - (b >> 5) % 15552000, :epoch + b % 31536000
FROM bits JOIN stone AS original ON original.n = bits.n % :size
"""

# Dates are written by SQLite: Python takes a quarter of a page's time for it.
_ISO = "strftime('%Y-%m-%dT%H:%M:%fZ', {0}, 'unixepoch')"
_ROW = f"n, source, price, {_ISO.format('created')}, {_ISO.format('updated')}"

_ORDERS: dict[Order, str] = {"price": "price {0}, n {0}", "createdAt": "created {0}, n {0}", "none": "n"}


class Row(NamedTuple):
    """One stone on offer: its number, which real stone it is, its price in dollars, and its dates in ISO 8601."""

    n: int
    source: int
    price: float
    created: str
    updated: str


@dataclass(frozen=True)
class Condition:
    """An SQL condition on one column of a stone, with its values."""

    sql: str
    values: tuple[float | str, ...]


def within(column: str, low: float | None, high: float | None) -> list[Condition]:
    """Conditions for low <= column <= high, both ends included; None leaves an end open."""
    ends = ((">=", low), ("<=", high))
    return [Condition(f"{column} {sign} ?", (end,)) for sign, end in ends if end is not None]


def one_of(column: str, values: Sequence[str | int]) -> Condition:
    """The condition that the column holds one of the values."""
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def stone_id(n: int) -> str:
    """The supplier's id of stone number n: always the same. Its last eight digits are n, so it can be found again."""
    return f"{str(uuid.uuid5(_NAMESPACE, str(n)))[:-8]}{n:08x}"


def stone_number(stone_id_: str) -> int | None:
    """The number of the stone with this id, whether or not it is on offer; None for an id not made by `stone_id`."""
    try:
        n = int(stone_id_[-8:], 16)
    except ValueError:
        return None
    return n if stone_id(n) == stone_id_ else None


class Catalogue:
    """All stones on offer, at whole dollars, or with cents if `cents` says so."""

    def __init__(self, diamonds: int = DATA_SET_SIZE, *, cents: bool = False) -> None:
        self.stones: tuple[Stone, ...] = load()
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._found: OrderedDict[tuple[object, ...], array[int]] = OrderedDict()
        self._next = diamonds
        self._db.execute(_TABLE)
        self._fill(diamonds)
        if cents:
            self._db.execute("UPDATE stone SET price = price + n * 37 % 100 / 100.0")
        # Both answer a search by price and update window in every order from the index alone.
        self._db.execute("CREATE INDEX by_price ON stone (price, n, updated, created)")
        self._db.execute("CREATE INDEX by_update ON stone (updated, price, created)")
        self._db.execute("ANALYZE")

    def _fill(self, diamonds: int) -> None:
        size = len(self.stones)
        first = min(diamonds, size)
        self._db.execute("BEGIN")
        # Fewer than all: every k-th, because the file is sorted by price.
        self._db.executemany(
            f"INSERT INTO stone VALUES ({', '.join('?' * 12)})",  # noqa: S608 - placeholders only
            (self._original(n, n * size // first) for n in range(first)),
        )
        if diamonds > size:
            self._db.execute(_REPLICATE, {"first": size, "end": diamonds, "size": size, "epoch": _FIRST_CHANGE})
        self._db.execute("COMMIT")

    def _original(self, n: int, source: int) -> tuple[object, ...]:
        stone = self.stones[source]
        bits = (n + 1) * 2654435761 & 0xFFFFFFFF
        updated = _FIRST_CHANGE + bits % 31536000
        traits = (stone.carats, stone.shape, stone.color, stone.lab_grown, stone.has_image, stone.has_video)
        return (n, source, stone.price, *traits, stone.availability, updated - (bits >> 5) % 15552000, updated)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM stone").fetchone()[0])

    def changed(self, since: float | None, until: float | None) -> list[Condition]:
        """Conditions for a last change in [since, until] (epoch s), without an end that every stone meets.

        SQLite would otherwise walk the index of changes for a full run's window, which holds everything.
        """
        (first,) = self._db.execute("SELECT min(updated) FROM stone").fetchone()
        (last,) = self._db.execute("SELECT max(updated) FROM stone").fetchone()
        if since is not None and first is not None and since <= first:
            since = None
        if until is not None and last is not None and until >= last:
            until = None
        return within("updated", since, until)

    def count(self, conditions: Iterable[Condition]) -> int:
        """How many stones meet all conditions."""
        where, values = _where(conditions)
        return int(self._db.execute(f"SELECT count(*) FROM stone {where}", values).fetchone()[0])  # noqa: S608 - see _where

    def page(
        self, conditions: Iterable[Condition], order: Order, descending: bool, offset: int, limit: int
    ) -> tuple[list[Row], int]:
        """The rows at offset in the given order, ties always in the same order, and how many there are in all."""
        where, values = _where(conditions)
        direction = "DESC" if descending else "ASC"
        key = (where, values, order, direction)
        numbers = self._found.get(key)
        if numbers is None:
            statement = f"SELECT n FROM stone {where} ORDER BY {_ORDERS[order].format(direction)}"  # noqa: S608 - see _where
            numbers = array("I", (n for (n,) in self._db.execute(statement, values)))
            self._found[key] = numbers
            if len(self._found) > _CACHED_SEARCHES:
                self._found.popitem(last=False)
        return self.rows(numbers[offset : offset + limit]), len(numbers)

    def after(self, conditions: Iterable[Condition], n: int, limit: int) -> list[Row]:
        """The next rows by number that meet the conditions and whose number is above n."""
        where, values = _where([*conditions, Condition("n > ?", (n,))])
        statement = f"SELECT {_ROW} FROM stone {where} ORDER BY n LIMIT ?"  # noqa: S608 - see _where
        return [Row(*row) for row in self._db.execute(statement, (*values, limit))]

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """The stones with these numbers, in this order; those that have gone are left out."""
        marks = ", ".join("?" * len(numbers))
        statement = f"SELECT {_ROW} FROM stone WHERE n IN ({marks})"  # noqa: S608 - marks only
        found = {row[0]: Row(*row) for row in self._db.execute(statement, list(numbers))}
        return [found[n] for n in numbers if n in found]

    def reprice(self, numbers: Sequence[int], percent: float) -> None:
        """Change prices by `percent`, at least one dollar, as of now, which is one moment for all of them."""
        now = round(time.time(), 3)
        self._change(
            "UPDATE stone SET price = max(1, price + CASE WHEN :percent < 0 THEN min(-1, CAST(price * :percent / 100"
            " AS INTEGER)) ELSE max(1, CAST(price * :percent / 100 AS INTEGER)) END), updated = :now WHERE n = :n",
            [{"n": n, "percent": percent, "now": now} for n in numbers],
        )

    def add(self, numbers: Sequence[int]) -> None:
        """Offer a new stone like each of these, as of now, which is one moment for all of them."""
        now = round(time.time(), 3)
        rows = [{"n": self._next + i, "like": n, "now": now} for i, n in enumerate(numbers)]
        self._next += len(rows)
        self._change(
            "INSERT INTO stone SELECT :n, source, price, carats, shape, color, lab_grown, has_image, has_v360,"
            " availability, :now, :now FROM stone WHERE n = :like",
            rows,
        )

    def touch(self, number: int) -> None:
        """Say that a stone has changed now."""
        self._change("UPDATE stone SET updated = :now WHERE n = :n", [{"n": number, "now": round(time.time(), 3)}])

    def remove(self, numbers: Sequence[int]) -> None:
        """Withdraw stones: they are in no answer any more."""
        self._change("DELETE FROM stone WHERE n = :n", [{"n": n} for n in numbers])

    def any_numbers(self, seed: int, amount: int) -> list[int]:
        """Numbers of up to `amount` different stones on offer, the same ones for the same seed and stock."""
        numbers: dict[int, None] = {}
        draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
        while len(numbers) < min(amount, len(self)):
            start = draw.randrange(self._next)
            found = self._db.execute("SELECT n FROM stone WHERE n >= ? ORDER BY n LIMIT 1", (start,)).fetchone()
            if found:
                numbers[found[0]] = None
        return list(numbers)

    def _change(self, statement: str, rows: list[dict[str, float]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")
        self._found.clear()


def _where(conditions: Iterable[Condition]) -> tuple[str, tuple[float | str, ...]]:
    """Join conditions, whose SQL is written in this package and whose values travel apart from it."""
    conditions = list(conditions)
    sql = " AND ".join(c.sql for c in conditions)
    return (f"WHERE {sql}" if sql else ""), tuple(value for c in conditions for value in c.values)
