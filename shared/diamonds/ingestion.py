"""From a supplier's pages to raw rows, each diamond once, whatever is delivered twice or dies on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.platform.postgres import database

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.diamonds.models import IngestPages, PagesIngested
    from shared.diamonds.reports import Database
    from shared.diamonds.suppliers.base import Supplier


async def copy_pages(
    supplier: Supplier,
    task: IngestPages,
    *,
    page_size: int = 50,
    database: Database = database,
    clock: Callable[[], float] = time.monotonic,
) -> PagesIngested:
    """Copy the partition's pages from where its mark stands, for about `task.seconds`; call again until `done`.

    At least one page is read each time. Of two deliveries of a partition at once one moves the mark; the other gives
    back where it stands.

    Raises:
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
        TransientError, TerminalError: the supplier's or the database's. What was read before it is stored.
    """
    raise NotImplementedError
