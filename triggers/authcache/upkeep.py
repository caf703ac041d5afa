"""When the log is folded: every minute while something is in it, and before where it has grown long.

Iceberg is looked at every hour, at a start, and when somebody asked for it.
"""

from __future__ import annotations

import logging
from typing import Any, TypeVar

import azure.functions as func

from orchestrators.authcache.documents import delete_stray_documents
from orchestrators.authcache.folding import fold
from shared.authcache.alerts import send_alerts
from shared.authcache.base.repair import sync_begun, sync_wanted
from shared.authcache.documents.models import StraySearch
from shared.authcache.folding.due import ProcessFolds, early_fold_is_due, fold_facts, fold_is_due, in_use
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.log.groups import Lsn
from shared.authcache.store import store
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.errors import ManifoldError
from shared.platform.http import Reply
from shared.platform.sweeps import Sweep
from triggers.authcache.guard import answer

T = TypeVar("T")
logger = logging.getLogger(__name__)
timers = new_blueprint()

FOLD = "authcache-fold"
"""The instance id of every fold: one runs at a time."""
STRAYS = "authcache-strays"
"""That of every search for files that no document names."""

_process = ProcessFolds()


async def _due(_: DurableClient) -> bool:
    return fold_is_due(await fold_facts(), looked=_process.looked)


async def _run(client: DurableClient) -> None:
    """Fold, unless the last fold is still at it."""
    await _alert(client)
    sync = await sync_wanted()
    if await client.start_if_idle(fold, FoldRequest(sync=sync or not _process.looked), instance_id=FOLD):
        _process.looked = True
        if sync:
            await sync_begun()


async def _alert(client: DurableClient) -> None:
    """What the last fold ended in is looked at before the next one takes its place."""
    last = await client.find(FOLD)
    if last is not None and last.state.finished:
        await send_alerts(last)


async def written(client: DurableClient, body: T, lsn: Lsn, status: int = 200) -> Reply[T]:
    """The answer of a route that has written, as `answer`; the log is folded if it has grown long."""
    await fold_if_long(client)
    return answer(body, lsn, status)


async def fold_if_long(client: DurableClient) -> None:
    """Start a fold at once where the log has grown long, as `early_fold_is_due` says. If it cannot, the minute does."""
    holding = store().instance.holding
    base = holding.manifest.lsn if holding.manifest is not None else 0
    if not early_fold_is_due(holding.records, base, _process.early_after):
        return
    _process.early_after = base
    try:
        await _alert(client)
        await client.start(fold, FoldRequest(), instance_id=FOLD)
    except ManifoldError as error:
        logger.info("An early fold was not started; the next minute starts one: %s", error)


sweep = Sweep("authcache", due=_due, run=_run)


@timers.timer_trigger(schedule="0 20 * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def authcache_sync(timer: func.TimerRequest, client: Any) -> None:
    """Every hour: have others written to the Iceberg tables? Where nobody did, it costs one look."""
    await _start(DurableClient(client), FoldRequest(sync=True), past_due=timer.past_due)


@timers.timer_trigger(schedule="0 40 3 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def authcache_tidy(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 03:40: the Iceberg tables are compacted, old snapshots forgotten, and files that nobody needs."""
    await _start(DurableClient(client), FoldRequest(sync=True, tidy=True), past_due=timer.past_due)
    await _delete_strays(DurableClient(client), past_due=timer.past_due)


async def _delete_strays(client: DurableClient, *, past_due: bool) -> None:
    if await in_use():
        await client.start_if_idle(delete_stray_documents, StraySearch(), instance_id=STRAYS, past_due=past_due)


async def _start(client: DurableClient, request: FoldRequest, *, past_due: bool) -> None:
    if not await in_use():
        return
    await _alert(client)
    await client.start_if_idle(fold, request, instance_id=FOLD, past_due=past_due)
