"""One side effect each of a fold; every one may be repeated. What they need loads with them: it takes seconds."""
# ruff: noqa: PLC0415 - pyarrow and pyiceberg load in the activity that needs them

from __future__ import annotations

from datetime import timedelta

from shared.authcache.folding.steps import (
    Cleaned,
    CleanTask,
    Folded,
    Published,
    Synced,
    SyncTask,
    TableState,
    TableTask,
)
from shared.platform.durable import Nothing, RetryPolicy, activity

_SHORT = RetryPolicy(attempts=2, first_delay=timedelta(seconds=2))
"""The next minute tries again anyway."""


@activity(retry=_SHORT)
async def fold_log(_: Nothing) -> Folded:
    """Make the log part of the base. Repeated, it finds nothing new."""
    from shared.authcache.folding.folding import fold_log

    return await fold_log()


@activity(retry=_SHORT)
async def append_table(task: TableTask) -> TableState:
    """Append to an Iceberg table what changed. Repeated, it finds its mark there."""
    from shared.authcache.folding.exporting import append_table

    return await append_table(task)


@activity(retry=_SHORT)
async def look_at_table(task: TableTask) -> TableState:
    """See how far an Iceberg table is, and whether others wrote to it."""
    from shared.authcache.folding.exporting import look_at_table

    return await look_at_table(task)


@activity(retry=_SHORT)
async def fill_cache(task: SyncTask) -> Synced:
    """Make the base from the Iceberg tables. Repeated, it makes the same one again."""
    from shared.authcache.folding.filling import fill_cache

    return await fill_cache(task)


@activity(retry=_SHORT)
async def replace_table(task: TableTask) -> TableState:
    """Rewrite an Iceberg table to what the base holds. Repeated, it finds another snapshot there, and fails."""
    from shared.authcache.folding.exporting import replace_table

    return await replace_table(task)


@activity(retry=_SHORT)
async def tidy_table(task: TableTask) -> TableState:
    """Rewrite an Iceberg table without what is outdated."""
    from shared.authcache.folding.exporting import tidy_table

    return await tidy_table(task)


@activity(retry=_SHORT)
async def publish_current(_: Nothing) -> Published:
    """Publish the cdc/ files. Repeated, it finds them there."""
    from shared.authcache.folding.publishing import publish_current

    return Published(lsn=await publish_current())


@activity(retry=_SHORT)
async def clean_log(task: CleanTask) -> Cleaned:
    """Delete what is folded and past its time."""
    from shared.authcache.folding.cleaning import clean

    return await clean(task)
