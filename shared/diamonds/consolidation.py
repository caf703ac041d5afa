"""From raw rows to priced diamonds, set-wise."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from shared.platform.postgres import database

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from shared.diamonds.mapping import Mapping
    from shared.diamonds.models import ConsolidateRows, MissingDiamonds, RowsConsolidated
    from shared.diamonds.reports import Database


async def consolidate(
    task: ConsolidateRows,
    mapping: Mapping,
    price_unit: Literal["cents", "dollars"],
    *,
    database: Database = database,
    clock: Callable[[], float] = time.monotonic,
) -> RowsConsolidated:
    """Map and price the feed's pending rows for about `task.seconds`; call again until `finished`.

    Any number may run at once: each claims rows that no other holds. A claim, its diamonds and its outcome are one
    transaction, so who dies leaves nothing claimed. When all are finished, rows are left only if one of them died.
    `mapping` says where the feed's payload holds what (`shared.diamonds.mapping.NIVODA`).
    """
    raise NotImplementedError


async def recover_claims(older_than: timedelta, *, database: Database = database) -> int:
    """Make rows pending again that were left `processing` for longer; how many. Ours are never left so."""
    raise NotImplementedError


async def mark_missing_deleted(run_id: UUID, max_share: float, *, database: Database = database) -> MissingDiamonds:
    """After a complete full run: mark the feed's diamonds that it did not see deleted, unless more than `max_share`.

    Raises:
        NotFound: there is no such run.
        Conflict: it was not a full run over the whole feed, or not all of its partitions are complete.
    """
    raise NotImplementedError
