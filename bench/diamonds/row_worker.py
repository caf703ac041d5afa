"""The peer of consolidation and re-pricing: a worker as the replaced system's, one statement a row."""

from __future__ import annotations

import asyncio
import time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

CLAIM = 2_000
BATCH = 100
AT_ONCE = 5
CENT = Decimal("0.01")

_CLAIM: LiteralString = """
update diamonds.raw_diamonds r set consolidation_status = 'processing', claimed_at = now(), claimed_by = 'peer'
from (
    select feed, supplier_stone_id from diamonds.raw_diamonds where feed = 'nivoda' and consolidation_status = 'pending'
    order by supplier_stone_id limit %s for update skip locked
) c where (r.feed, r.supplier_stone_id) = (c.feed, c.supplier_stone_id)
returning r.supplier_stone_id, r.offer_id, r.payload
"""
_UPSERT: LiteralString = """
insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, color, clarity, cut, polish, symmetry,
    fluorescence, lab_grown, price_model_price, price_per_carat, retail_price, markup_ratio, rating, availability,
    raw_availability, hold_id, image_url, video_url, certificate_lab, certificate_number, supplier_name)
values ('nivoda', %(stone)s, %(offer)s, %(shape)s, %(carats)s, %(color)s, %(clarity)s, %(cut)s, %(polish)s,
    %(symmetry)s, %(floInt)s, %(labgrown)s, %(price)s, %(per_carat)s, %(retail)s, %(ratio)s, %(rating)s,
    %(availability)s, %(raw_availability)s, %(hold)s, %(image)s, %(video)s, %(lab)s, %(certNumber)s, %(supplier)s)
on conflict (feed, supplier_stone_id) do update set
    price_model_price = excluded.price_model_price, price_per_carat = excluded.price_per_carat,
    retail_price = excluded.retail_price, markup_ratio = excluded.markup_ratio, rating = excluded.rating,
    availability = excluded.availability, raw_availability = excluded.raw_availability, updated_at = now()
"""


class RowWorker:
    """Claims, maps, prices and writes rows one by one over five connections."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def consolidate(self) -> float:
        """Rows/s until no row is pending."""
        began, done = time.perf_counter(), 0
        connections = [await self._connect() for _ in range(AT_ONCE)]
        rules = await self._rules(connections[0])
        while claimed := await (await connections[0].execute(_CLAIM, (CLAIM,))).fetchall():
            mapped = [_map(row, rules) for row in claimed]
            await self._write(connections, _UPSERT, mapped)
            ids = [row["supplier_stone_id"] for row in claimed]
            await connections[0].execute(
                "update diamonds.raw_diamonds set consolidation_status = 'done', consolidated_at = now()"
                " where feed = 'nivoda' and supplier_stone_id = any(%s)",
                (ids,),
            )
            done += len(claimed)
        return await self._end(connections, done, began)

    async def reprice(self, most: int) -> float:
        """Rows/s until the first `most` diamonds have the price of the rules."""
        began, done, after = time.perf_counter(), 0, 0
        connections = [await self._connect() for _ in range(AT_ONCE)]
        rules = await self._rules(connections[0])
        query: LiteralString = (
            "select id, shape, carats, lab_grown, price_model_price, retail_price, markup_ratio, rating"
            " from diamonds.diamonds"
            " where id > %s and status = 'active' order by id limit %s"
        )
        while done < most and (found := await (await connections[0].execute(query, (after, CLAIM))).fetchall()):
            priced: list[dict[str, Any]] = []
            for row in found:
                ratio, rating = _rule(rules, row["shape"], row["carats"], row["lab_grown"])
                retail = (row["price_model_price"] * ratio).quantize(CENT, ROUND_HALF_UP)
                if (retail, ratio, rating) != (row["retail_price"], row["markup_ratio"], row["rating"]):
                    priced.append({"id": row["id"], "ratio": ratio, "rating": rating, "retail": retail})
            await self._write(
                connections,
                "update diamonds.diamonds set retail_price = %(retail)s, markup_ratio = %(ratio)s, rating = %(rating)s,"
                " updated_at = now() where id = %(id)s",
                priced,
            )
            done += len(found)
            after = found[-1]["id"]
        return await self._end(connections, done, began)

    async def _connect(self) -> psycopg.AsyncConnection[DictRow]:
        return await psycopg.AsyncConnection[DictRow].connect(self._dsn, autocommit=True, row_factory=dict_row)

    async def _rules(self, connection: psycopg.AsyncConnection[DictRow]) -> list[dict[str, Any]]:
        query = "select * from diamonds.pricing_rules where active order by priority, id"
        return await (await connection.execute(query)).fetchall()

    async def _write(
        self,
        connections: list[psycopg.AsyncConnection[DictRow]],
        statement: LiteralString,
        rows: list[dict[str, Any]],
    ) -> None:
        batches = asyncio.Queue[list[dict[str, Any]]]()
        for start in range(0, len(rows), BATCH):
            batches.put_nowait(rows[start : start + BATCH])

        async def work(connection: psycopg.AsyncConnection[DictRow]) -> None:
            while not batches.empty():
                for row in batches.get_nowait():
                    await connection.execute(statement, row)

        await asyncio.gather(*(work(connection) for connection in connections))

    async def _end(self, connections: list[psycopg.AsyncConnection[DictRow]], done: int, began: float) -> float:
        seconds = time.perf_counter() - began
        for connection in connections:
            await connection.close()
        return done / seconds


def _map(row: dict[str, Any], rules: list[dict[str, Any]]) -> dict[str, Any]:
    payload: dict[str, Any] = row["payload"]
    diamond: dict[str, Any] = payload["diamond"]
    certificate: dict[str, Any] = diamond["certificate"]
    shape, carats = certificate["shape"].upper(), Decimal(str(certificate["carats"]))
    price = (Decimal(str(payload["price"])) / 100).quantize(CENT, ROUND_HALF_UP)
    ratio, rating = _rule(rules, shape, carats, certificate["labgrown"])
    names = ("color", "clarity", "cut", "polish", "symmetry", "floInt", "labgrown", "lab", "certNumber")
    return {
        **{name: certificate[name] for name in names},
        "stone": row["supplier_stone_id"],
        "offer": row["offer_id"],
        "shape": shape,
        "carats": carats,
        "price": price,
        "ratio": ratio,
        "rating": rating,
        "supplier": diamond["supplier"]["name"],
        "per_carat": (price / carats).quantize(CENT, ROUND_HALF_UP),
        "retail": (price * ratio).quantize(CENT, ROUND_HALF_UP),
        "availability": "available" if diamond["availability"] == "AVAILABLE" else "unavailable",
        "raw_availability": diamond["availability"],
        "hold": diamond["HoldId"],
        "image": diamond["image"],
        "video": diamond["video"],
    }


def _rule(rules: list[dict[str, Any]], shape: str, carats: Decimal, lab_grown: bool) -> tuple[Decimal, int | None]:
    for rule in rules:
        if (
            (rule["carat_min"] is None or carats >= rule["carat_min"])
            and (rule["carat_max"] is None or carats <= rule["carat_max"])
            and (rule["shapes"] is None or shape in [one.upper() for one in rule["shapes"]])
            and (rule["lab_grown"] is None or lab_grown is rule["lab_grown"])
        ):
            return rule["markup_ratio"], rule["rating"]
    return Decimal("1.15"), None
