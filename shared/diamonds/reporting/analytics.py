"""What is on offer, in figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.diamonds.models import FeedName, Model
from shared.diamonds.runs.models import RunStatus, RunType
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Iterable


EDGES = (0, 250, 500, 1_000, 1_500, 2_500, 4_000, 6_000, 9_000, 13_000, 20_000, 50_000)
"""Where the bars of the price distribution begin, US dollars of retail price; the last has no end (migration 0007)."""


class Share(Model):
    """Diamonds that have something in common, and the sum of their retail prices in US dollars."""

    diamonds: int = Field(ge=0)
    value: float


class Bar(Share):
    """Diamonds on offer whose retail price lies in [minimum, maximum); None: no end."""

    minimum: int
    maximum: int | None


class LastRun(Model):
    """The newest run of a feed. The counts of a running one are not taken yet."""

    run_id: UUID
    feed: FeedName
    run_type: RunType
    status: RunStatus
    started_at: AwareDatetime
    completed_at: AwareDatetime | None
    consolidated: int
    failed: int


class Summary(Model):
    """The diamonds by what they are, and the last run of every feed. All but `deleted` counts those on offer."""

    as_of: AwareDatetime
    diamonds: int = Field(ge=0, description="on offer")
    deleted: int = Field(ge=0, description="no longer offered")
    value: float = Field(description="sum of the retail prices, US dollars")
    supplier_value: float = Field(description="sum of the suppliers' prices, US dollars")
    mean_price: float | None = Field(description="mean retail price, US dollars")
    by_status: dict[str, Share]
    by_shape: dict[str, Share]
    by_availability: dict[str, Share]
    by_feed: dict[str, Share]
    prices: list[Bar]
    last_runs: list[LastRun]


_OFFER = """
select feed, status, shape, availability, bar, sum(diamonds)::bigint as diamonds, sum(value) as value,
    sum(supplier_value) as supplier_value
from diamonds.offer_now group by 1, 2, 3, 4, 5 having sum(diamonds) > 0
"""

_LAST_RUNS = """
select distinct on (feed) run_id, feed, run_type, status, started_at, completed_at,
    consolidated_records as consolidated, failed_records as failed
from diamonds.run_metadata order by feed, started_at desc, run_id
"""


async def summarise() -> Summary:
    """The figures of this moment. The database keeps the counts as the diamonds change (migration 0007)."""
    async with database() as connection:
        offer = await rows(connection, _OFFER)
        last = [LastRun.model_validate(row) for row in await rows(connection, _LAST_RUNS)]
    offered = [row for row in offer if row["status"] == "active"]
    whole = _share(offered)
    bars = _by(offered, "bar")
    return Summary(
        as_of=datetime.now(UTC),
        diamonds=whole.diamonds,
        deleted=sum(row["diamonds"] for row in offer) - whole.diamonds,
        value=whole.value,
        supplier_value=float(sum(row["supplier_value"] for row in offered)),
        mean_price=round(whole.value / whole.diamonds, 2) if whole.diamonds else None,
        by_status=_by(offer, "status"),
        by_shape=_by(offered, "shape"),
        by_availability=_by(offered, "availability"),
        by_feed=_by(offered, "feed"),
        prices=[
            Bar(minimum=low, maximum=high, **bars.get(number, Share(diamonds=0, value=0)).model_dump())
            for number, (low, high) in enumerate(zip(EDGES, (*EDGES[1:], None), strict=True))
        ],
        last_runs=last,
    )


def _by(offer: Iterable[dict[str, Any]], column: str) -> dict[Any, Share]:
    """A share for each value of the column, the largest first."""
    parts: dict[Any, list[dict[str, Any]]] = {}
    for row in offer:
        parts.setdefault(row[column], []).append(row)
    shares = {value: _share(part) for value, part in parts.items()}
    return dict(sorted(shares.items(), key=lambda one: (-one[1].diamonds, one[0])))


def _share(part: Iterable[dict[str, Any]]) -> Share:
    part = list(part)
    return Share(diamonds=sum(row["diamonds"] for row in part), value=float(sum(row["value"] for row in part)))
