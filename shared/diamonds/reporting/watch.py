"""Feeds that stand still although no run failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.diamonds.reporting.alerts import watermark_stands_still
from shared.diamonds.runs import watermark
from shared.platform.alerting.alerts import send_once
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.diamonds.models import FeedName
    from shared.platform.alerting.mail import Mailer


async def watermarks(feeds: Sequence[FeedName], oldest: timedelta, *, via: Mailer | None = None) -> list[FeedName]:
    """Mail each feed whose watermark is older; those feeds. A feed without one counts from its first run on."""
    late: list[FeedName] = []
    for feed in feeds:
        mark = await watermark.read(feed)
        reached = mark.last_updated_at if mark else await _first_run(feed)
        if reached and datetime.now(UTC) - reached > oldest:
            late.append(feed)
            await send_once(watermark_stands_still(feed, reached, known=mark is not None), via)
    return late


async def _first_run(feed: FeedName) -> datetime | None:
    async with database() as connection:
        found = await rows(
            connection, "select min(started_at) as first from diamonds.run_metadata where feed = %s", (feed,)
        )
    return found[0]["first"]
