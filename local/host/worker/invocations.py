"""Runs of functions as the log and the list of recent ones show them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from local.host.core.credentials import sanitize
from local.host.core.logs import host_log
from local.host.worker.failures import FunctionRaised


@dataclass
class Invocation:
    """A run as the recent-invocations list shows it."""

    id: str
    function: str
    instance_id: str
    reason: str
    started: datetime
    duration_ms: float | None = None
    outcome: str = "Running"
    error: str = ""

    def succeed(self, seconds: float) -> None:
        """It has ended well, after so long."""
        self._end("Succeeded", seconds)

    def fail(self, error: BaseException, seconds: float) -> None:
        """It has ended with an error, after so long; an error of the function's is logged with its stack.

        As in Azure no error text shows credentials.
        """
        cancelled = isinstance(error, asyncio.CancelledError)
        self.error = "" if cancelled else sanitize(str(error))
        self._end("Cancelled" if cancelled else "Failed", seconds)
        if isinstance(error, FunctionRaised):
            report = sanitize(error.report)
            host_log.error("Exception while executing function: Functions.%s. %s", self.function, report)

    def _end(self, outcome: str, seconds: float) -> None:
        self.outcome, self.duration_ms = outcome, round(seconds * 1000, 3)
        succeeded = outcome == "Succeeded"
        level = logging.INFO if succeeded else logging.ERROR
        if host_log.isEnabledFor(level):
            host_log.log(
                level,
                "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms%s)",
                self.function,
                "Succeeded" if succeeded else "Failed",
                self.id,
                round(self.duration_ms),
                f", InstanceId={self.instance_id}" if self.instance_id else "",
                extra={"fields": {"outcome": outcome, "durationMs": self.duration_ms}},
            )
