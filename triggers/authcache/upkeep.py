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
from shared.authcache.base.manifest import CorruptBase, read_manifest
from shared.authcache.base.repair import rebuild_wanted, sync_begun, sync_wanted
from shared.authcache.documents.models import StraySearch
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.log.groups import Lsn, read_group
from shared.authcache.settings import settings
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


FOLD_RECORDS = 1_000
"""Records since the base at which the minute is not waited for."""


class _Start:
    """Whether this process has had Iceberg looked at since it started, as it does after a deployment."""

    looked = False
    folded = -1
    """The LSN of the base after which this process had the log folded before the minute."""


async def _due(_: DurableClient) -> bool:
    """Is anything in the log that the base does not have, or is the base to be made anew?"""
    try:
        found = await read_manifest()
    except CorruptBase:
        return True
    if found is None:
        return bool(settings().authcache_catalog_uri) or await read_group(1) is not None
    return (
        not _Start.looked
        or await read_group(found[0].lsn + 1) is not None
        or await rebuild_wanted() is not None
        or await sync_wanted()
    )


async def _run(client: DurableClient) -> None:
    """Fold, unless the last fold is still at it."""
    await _alert(client)
    asked = await sync_wanted()
    if await client.start_if_idle(fold, FoldRequest(sync=asked or not _Start.looked), instance_id=FOLD):
        _Start.looked = True
        if asked:
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
    """Fold at once where the log has FOLD_RECORDS since the base.

    Once for each base: that another is there tells that the fold has ended. If it cannot be begun, the minute does it.
    """
    holding = store().instance.holding
    base = holding.manifest.lsn if holding.manifest is not None else 0
    if holding.records < FOLD_RECORDS or _Start.folded == base:
        return
    _Start.folded = base
    try:
        await _alert(client)
        await client.start(fold, FoldRequest(), instance_id=FOLD)
    except ManifoldError as error:
        logger.info("No fold was begun before the minute: %s", error)


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
    if await _is_used():
        await client.start_if_idle(delete_stray_documents, StraySearch(), instance_id=STRAYS, past_due=past_due)


async def _is_used() -> bool:
    return bool(settings().authcache_catalog_uri) or await read_manifest() is not None


async def _start(client: DurableClient, request: FoldRequest, *, past_due: bool) -> None:
    if not await _is_used():
        return
    await _alert(client)
    await client.start_if_idle(fold, request, instance_id=FOLD, past_due=past_due)
