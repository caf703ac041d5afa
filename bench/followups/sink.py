"""The sink of the benchmark: the local one, which here counts mails in place of keeping them as files."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from local.processes import LOOPBACK
from local.smtp.sink import LostAnswers, Sink


class CountingSink(Sink):
    """Notes when each address was handed a mail. Every Nth mail is taken and never answered."""

    def __init__(self, folder: Path, lose_every: int) -> None:
        super().__init__(folder)
        self.lost_answers = LostAnswers(every=lose_every)
        self.times: dict[str, list[float]] = {}
        self.last = 0.0
        self._lock = threading.Lock()

    def keep(self, envelope: Envelope, content: bytes) -> str:  # noqa: ARG002 - as the sink calls it
        """Count it."""
        with self._lock:
            self.last = time.time()
            for address in envelope.rcpt_tos:
                self.times.setdefault(address, []).append(self.last)
        return "counted"

    def forget(self) -> None:
        """Begin anew, for the next one's run."""
        self._since_lost = 0
        self.times = {}
        self.last = time.time()


@asynccontextmanager
async def listening(sink: CountingSink, port: int) -> AsyncGenerator[None]:
    """Take mails on the port within the block."""

    def session() -> Any:
        return SMTP(sink, hostname="localhost", enable_SMTPUTF8=True)

    async with await asyncio.get_running_loop().create_server(session, LOOPBACK, port):
        yield
