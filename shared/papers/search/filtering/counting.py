"""How many papers a condition lets through: counted up to 10,000, estimated and marked beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition

COUNTED = 10_000


async def count(connection: AsyncConnection[Any], condition: Condition) -> tuple[int, bool]:
    """How many papers there are of it, and whether that is an estimate."""
    [row] = await rows(
        connection,
        f"select count(*)::int as n from (select from papers.papers p where {condition.sql} limit {COUNTED + 1}) c",  # noqa: S608 - ours
        condition.values,
        prepare=False,
    )
    if row["n"] <= COUNTED:
        return row["n"], False
    return max(await estimate(connection, condition), COUNTED + 1), True


async def estimate(connection: AsyncConnection[Any], condition: Condition) -> int:
    """How many the database's statistics say there are."""
    [row] = await rows(
        connection,
        f"explain (format json) select from papers.papers p where {condition.sql}",
        condition.values,
        prepare=False,
    )
    plans = cast("list[dict[str, Any]]", row["QUERY PLAN"])
    return int(plans[0]["Plan"]["Plan Rows"])
