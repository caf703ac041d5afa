"""From raw rows to priced diamonds, set-wise: `consolidation.sql` maps and prices what one claim holds."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from shared.diamonds.ingestion.payloads import NO_ID
from shared.diamonds.pricing.failed_rows import requeue_if_read_anew
from shared.diamonds.pricing.models import RowsConsolidated
from shared.diamonds.pricing.rules import hold_rules
from shared.diamonds.runs.lifecycle import see_running
from shared.platform.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.pricing.models import ConsolidateRows

CLAIM_ROWS = 2_000

_logger = logging.getLogger(__name__)


async def consolidate(
    task: ConsolidateRows,
    mapping: Mapping,
    price_unit: PriceUnit,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> RowsConsolidated:
    """Map and price the feed's pending rows for about `task.seconds`; call again until `finished`.

    Any number may run at once: each claims rows that no other holds. A claim, its diamonds and its outcome are one
    transaction, so who dies leaves nothing claimed. Rows that an earlier run left pending are taken too, and after a
    change of how the feed is read those that had failed. When all are finished, rows are left only if one of them died.
    `mapping` says where the feed's payload holds what.

    Raises:
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
        TransientError: the database's. What was claimed before it is done.
    """
    if again := await requeue_if_read_anew(task.feed, _fingerprint(mapping, price_unit)):
        _logger.info("Failed rows are tried again.", extra={"feed": task.feed, "rows": again})
    stop = clock() + task.seconds
    given = {
        **{name: path and list(path) for name, path in asdict(mapping).items() if name != "words"},
        "words": json.dumps(mapping.words),
        "feed": task.feed,
        "worker": task.worker,
        "batch": CLAIM_ROWS,
        "unit": 100 if price_unit == "cents" else 1,
        "no_id": NO_ID,
    }
    done = failed = 0
    # Going on behind the last claim saves reading what the index still holds of all the rows done before.
    after, finished = "", False
    while not finished:
        async with database() as connection:
            if task.run_id:
                await see_running(connection, task.run_id)
            await hold_rules(connection)
            claim = (await rows(connection, _statement(), {**given, "after": after}, prepare=False))[0]
        done += claim["done"]
        failed += claim["failed"]
        finished = claim["last"] is None and not after
        after = claim["last"] or ""
        if clock() >= stop:
            break
    return RowsConsolidated(done=done, failed=failed, finished=finished)


async def recover_claims(older_than: timedelta) -> int:
    """Make rows pending again that were left `processing` for longer than that; how many.

    Ours are claimed and done in one transaction and never stay so: these come from workers that commit their claims.
    """
    async with database() as connection:
        recovered = await connection.execute(
            "update diamonds.raw_diamonds set consolidation_status = 'pending', claimed_at = null, claimed_by = null,"
            " updated_at = now() where consolidation_status = 'processing' and claimed_at < now() - %s",
            (older_than,),
        )
    return recovered.rowcount


async def pending_rows(feed: str) -> int:
    """How many of the feed's rows wait for consolidation. Cheap: for polling."""
    async with database() as connection:
        found = await rows(
            connection,
            "select count(*) as pending from diamonds.raw_diamonds"
            " where feed = %s and consolidation_status = 'pending'",
            (feed,),
        )
    return found[0]["pending"]


def _fingerprint(mapping: Mapping, price_unit: PriceUnit) -> bytes:
    """Of everything that decides whether a payload can be read."""
    return sha256(json.dumps([asdict(mapping), price_unit, _statement()], sort_keys=True).encode()).digest()


@lru_cache(maxsize=1)
def _statement() -> str:
    return Path(__file__).with_name("consolidation.sql").read_text()
