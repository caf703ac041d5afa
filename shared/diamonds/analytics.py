"""What is on offer, in figures: counted once a minute at most, and when a run or a re-pricing has begun or ended."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import AwareDatetime, Field

from shared.diamonds.models import FeedName, Model, RunStatus, RunType
from shared.diamonds.reports import rows
from shared.platform.postgres import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.diamonds.reports import Database

FRESH_SECONDS = 60.0
EDGES = (0, 250, 500, 1_000, 1_500, 2_500, 4_000, 6_000, 9_000, 13_000, 20_000, 50_000)
"""Where the bars of the price distribution begin, US dollars of retail price; the last has no end."""


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

    as_of: AwareDatetime = Field(description="when the diamonds were counted; the runs are of now")
    age_seconds: float = Field(ge=0)
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


# One pass, aggregated by all that is shown; the sums of sums are taken below, from some hundred rows.
_CUBE = """
select feed, status, shape, width_bucket(retail_price, %(edges)s::numeric[]) - 1 as bar,
    diamonds.availability_now(availability, hold_expires_at, raw_availability) as availability,
    count(*) as diamonds, sum(retail_price) as value, sum(price_model_price) as supplier_value
from diamonds.diamonds group by 1, 2, 3, 4, 5
"""

_LAST_RUNS = """
select distinct on (feed) run_id, feed, run_type, status, started_at, completed_at,
    consolidated_records as consolidated, failed_records as failed
from diamonds.run_metadata order by feed, started_at desc, run_id
"""


class _Counted:
    """The last pass over the diamonds, for one database."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.cube: list[dict[str, Any]] = []
        self.at = datetime.min.replace(tzinfo=UTC)
        self.fresh_until = 0.0
        self.after: Any = None


# As the pools of connections are: the worker has one event loop, a test session has several.
_counted: WeakKeyDictionary[asyncio.AbstractEventLoop, _Counted] = WeakKeyDictionary()


_LAST_REPRICING = "select max(completed_at) as ended from diamonds.repricings"


async def summarise(*, database: Database = database, clock: Callable[[], float] = time.monotonic) -> Summary:
    """The figures: at most FRESH_SECONDS old, and taken since the last run or re-pricing began or ended.

    Who asks while they are taken waits for the same pass.
    """
    counted = _counted.setdefault(asyncio.get_running_loop(), _Counted())
    async with database() as connection:
        last = [LastRun.model_validate(row) for row in await rows(connection, _LAST_RUNS)]
        after = ([(run.run_id, run.status) for run in last], await rows(connection, _LAST_REPRICING))
    async with counted.lock:
        if clock() >= counted.fresh_until or counted.after != after:
            began = datetime.now(UTC)
            async with database() as connection:
                counted.cube = await rows(connection, _CUBE, {"edges": list(EDGES)}, prepare=False)
            counted.at, counted.after, counted.fresh_until = began, after, clock() + FRESH_SECONDS
    return _summary(counted.cube, counted.at, last)


def _summary(cube: list[dict[str, Any]], at: datetime, last: list[LastRun]) -> Summary:
    offered = [row for row in cube if row["status"] == "active"]
    whole = _share(offered)
    bars = _by(offered, "bar")
    return Summary(
        as_of=at,
        age_seconds=round(max(0.0, (datetime.now(UTC) - at).total_seconds()), 1),
        diamonds=whole.diamonds,
        deleted=sum(row["diamonds"] for row in cube) - whole.diamonds,
        value=whole.value,
        supplier_value=float(sum(row["supplier_value"] for row in offered)),
        mean_price=round(whole.value / whole.diamonds, 2) if whole.diamonds else None,
        by_status=_by(cube, "status"),
        by_shape=_by(offered, "shape"),
        by_availability=_by(offered, "availability"),
        by_feed=_by(offered, "feed"),
        prices=[
            Bar(minimum=low, maximum=high, **bars.get(number, Share(diamonds=0, value=0)).model_dump())
            for number, (low, high) in enumerate(zip(EDGES, (*EDGES[1:], None), strict=True))
        ],
        last_runs=last,
    )


def _by(cube: Iterable[dict[str, Any]], column: str) -> dict[Any, Share]:
    """A share for each value of the column, the largest first."""
    parts: dict[Any, list[dict[str, Any]]] = {}
    for row in cube:
        parts.setdefault(row[column], []).append(row)
    shares = {value: _share(part) for value, part in parts.items()}
    return dict(sorted(shares.items(), key=lambda one: (-one[1].diamonds, one[0])))


def _share(part: Iterable[dict[str, Any]]) -> Share:
    part = list(part)
    return Share(diamonds=sum(row["diamonds"] for row in part), value=float(sum(row["value"] for row in part)))
