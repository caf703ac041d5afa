"""Tasks that run for as long as the host does: one that breaks is logged."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from local.host.core.logs import host_log


def start_task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start the work; if it ends with an exception, the log says so with its stack."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        host_log.error("The host's task '%s' broke off. Restart the host.", task.get_name(), exc_info=task.exception())
