"""The follow-ups on this machine: PostgreSQL, Azurite, the mail sink, and the host as a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest

from local.cosmos.testing import CosmosProcess
from local.up import Ports
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.services import services_of_its_own

ROOT = Path(__file__).parents[3]
KEY = "acceptance"


class Followups:
    """The app and what it stands on, as an agent and an operator see it."""

    def __init__(self, settings: dict[str, str], ports: Ports, host: ForkedHost) -> None:
        self.settings = settings
        self.host = host
        self._mails = f"http://127.0.0.1:{ports.mail}/messages"
        self.token = ""

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, admin: bool = False) -> Any:
        headers = {"X-Admin-Key": KEY} if admin else {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.host.request(method, path, body, headers=headers, timeout=60)
        assert answer.status == status, (answer.status, answer.body)
        return answer.json() if answer.body else None

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings["POSTGRES_DSN"]) as connection:
            found = connection.execute(query.encode(), parameters)
            return found.fetchall() if found.description else []

    def minute(self) -> None:
        """Let the minute timer fire."""
        self.ask("POST", "/admin/functions/operations_minute", {}, status=202)

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "\n".join(self.host.output[-40:])
            time.sleep(0.1)

    def mails(self) -> list[dict[str, Any]]:
        with urlopen(self._mails, timeout=10) as answer:
            return json.loads(answer.read())


@pytest.fixture
def running(tmp_path: Path, migrated_dsn: str, storage_connection: str, cosmos: CosmosProcess) -> Callable[..., Any]:
    """Starts the host and what it needs: `async with running(FOLLOWUPS_WARM_UP="2") as app`."""

    @asynccontextmanager
    async def start(**changes: str) -> AsyncGenerator[Followups]:
        shared = {
            "ADMIN_API_KEY": KEY,
            "POSTGRES_DSN": migrated_dsn,
            "STORAGE_CONNECTION": storage_connection,
            "AzureWebJobsStorage": storage_connection,
            "COSMOS_CONNECTION": cosmos.connection_string,
            "FOLLOWUPS_MAILS_PER_MINUTE": "0",
        }
        with services_of_its_own(tmp_path / "local") as (ports, own):
            known = own | shared | changes
            with ForkedHost(ROOT, tmp_path / "host", environment=known) as host:
                yield Followups(known, ports, host)

    return start
