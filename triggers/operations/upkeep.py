"""When the app looks after itself: every minute for what is under way, every hour for its queues, every night."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func

from orchestrators.operations.upkeep import watch_operations
from shared.platform.durable import DurableClient, Nothing, new_blueprint
from shared.platform.settings import settings
from shared.platform.sweeps import run_due
from shared.platform.workload import workloads

logger = logging.getLogger(__name__)
timers = new_blueprint()


@timers.timer_trigger(schedule="0 * * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def operations_minute(timer: func.TimerRequest, client: Any) -> None:
    """Every minute: the sweeps of all workloads, each only while something of it is under way."""
    sweeps = [sweep for workload in workloads() for sweep in workload.sweeps]
    if ran := await run_due(sweeps, DurableClient(client)):
        logger.info("Sweeps were run.", extra={"sweeps": ", ".join(ran), "past_due": timer.past_due})


@timers.timer_trigger(schedule="0 45 * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def operations_hourly(timer: func.TimerRequest, client: Any) -> None:
    """Every hour: dead letters are looked for."""
    await DurableClient(client).start_if_idle(
        watch_operations, Nothing(), instance_id="operations-watch", past_due=timer.past_due
    )


@timers.timer_trigger(schedule="0 15 4 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def operations_purge(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 04:15: ended orchestrations are kept no longer than INSTANCE_RETENTION_DAYS."""
    kept = timedelta(days=settings().instance_retention_days)
    purged = await DurableClient(client).purge_before(datetime.now(UTC) - kept)
    logger.info("Ended orchestrations were purged.", extra={"instances": purged, "past_due": timer.past_due})
