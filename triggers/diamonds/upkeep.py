"""When the feeds are looked after: by day for what stands still, every night for what is kept no longer."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func

from orchestrators.diamonds.upkeep import purge_feeds, watch_feeds, watch_trades
from shared.diamonds.offer import trade
from shared.diamonds.runs.models import PurgeRows, WatchFeeds
from shared.platform.durable import DurableClient, Nothing, new_blueprint
from shared.platform.errors import TransientError
from triggers.diamonds.runs import orphaned_runs

logger = logging.getLogger(__name__)
timers = new_blueprint()


@timers.timer_trigger(schedule="0 30 * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def diamonds_hourly(timer: func.TimerRequest, client: Any) -> None:
    """Every hour: orphaned runs are ended, stale claims set free, watermarks looked at."""
    durable = DurableClient(client)
    try:
        orphans = list((await orphaned_runs(durable)).values())
    except TransientError as error:  # the other parts may not need what is away
        logger.warning("Orphaned runs could not be searched for; the next hour tries again: %s", error)
        orphans = []
    task = WatchFeeds(abandoned=orphans)
    await durable.start_if_idle(watch_feeds, task, instance_id="diamonds-watch", past_due=timer.past_due)


@timers.timer_trigger(schedule="0 */10 * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def diamonds_trades(timer: func.TimerRequest, client: Any) -> None:
    """Every ten minutes: what is open at suppliers is settled, if anything is."""
    if await trade.anything_open():
        await DurableClient(client).start_if_idle(
            watch_trades, Nothing(), instance_id="diamonds-trades", past_due=timer.past_due
        )


@timers.timer_trigger(schedule="0 0 4 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def diamonds_purge(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 04:00, when the night's run has long ended."""
    await DurableClient(client).start_if_idle(
        purge_feeds, PurgeRows(), instance_id="diamonds-purge", past_due=timer.past_due
    )
