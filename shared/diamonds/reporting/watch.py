"""What people are told although no run failed: a feed that stands still, messages that nobody could take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.diamonds.reporting.alerts import dead_letters_found, send_once, watermark_stands_still
from shared.diamonds.runs import watermark
from shared.platform import queue_figures
from shared.platform.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.diamonds.models import FeedName
    from shared.platform.mail import Mailer


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


async def dead_letters(*, via: Mailer | None = None) -> list[str]:
    """Mail each queue that holds dead letters; those queues."""
    found = [figures for figures in await queue_figures.all_figures() if figures.dead_letters]
    for figures in found:
        await send_once(dead_letters_found(figures.queue, figures.dead_letters, exact=figures.exact), via)
    return [figures.queue for figures in found]


async def _first_run(feed: FeedName) -> datetime | None:
    async with database() as connection:
        found = await rows(
            connection, "select min(started_at) as first from diamonds.run_metadata where feed = %s", (feed,)
        )
    return found[0]["first"]
