"""The whole app on this machine: real PostgreSQL and Azurite, the stand-ins, and the host as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest

from local.cosmos.testing import CosmosProcess
from local.up import Ports
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.services import services_of_its_own

ROOT = Path(__file__).parents[3]
KEY = "acceptance"


class Running:
    """The app and what it stands on."""

    def __init__(self, settings: dict[str, str], ports: Ports, host: ForkedHost) -> None:
        self.settings = settings
        self.host = host
        self.supplier = f"http://127.0.0.1:{ports.supplier}"
        self._mails = f"http://127.0.0.1:{ports.mail}/messages"

    def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        answer = self.host.request(method, path, body, headers={"X-Admin-Key": KEY}, timeout=60)
        assert status is None or answer.status == status, answer.body
        return answer.json()

    def start(self, run_type: str) -> str:
        return self.ask("POST", "/api/v2/triggers/scheduler", {"run_type": run_type}, status=202)["run_id"]

    def wait(self, run_id: str, seconds: float = 120) -> dict[str, Any]:
        """The run with its partitions, once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.host.request("GET", f"/api/v2/analytics/runs/{run_id}", headers={"X-Admin-Key": KEY})
            if answer.status == 200 and answer.json()["run"]["status"] != "running":
                return answer.json()
            assert time.monotonic() < deadline, "\n".join(self.host.output[-40:])
            time.sleep(0.2)

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "\n".join(self.host.output[-40:])
            time.sleep(0.1)

    def control(self, what: str, body: Any) -> Any:
        """Tell the supplier what goes wrong from now on, or what changes."""
        request = Request(f"{self.supplier}/_control/{what}", json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stock(self) -> dict[str, dict[str, Any]]:
        """Everything the supplier has now, by stone id, asked as anybody would: page by page."""
        page = "{ items { id price diamond { id } } }"
        query = f"query($o: Int) {{ diamonds_by_query(query: {{}}, offset: $o, limit: 50) {page} }}"
        token = self._graphql(
            '{ authenticate { username_and_password(username: "manifold", password: "manifold") { token } } }', {}, ""
        )["authenticate"]["username_and_password"]["token"]
        found: dict[str, dict[str, Any]] = {}
        while items := self._graphql(query, {"o": len(found)}, token)["diamonds_by_query"]["items"]:
            found |= {item["diamond"]["id"]: item for item in items}
        return found

    def _graphql(self, query: str, variables: dict[str, Any], token: str) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        with urlopen(Request(f"{self.supplier}/graphql", body, headers), timeout=30) as answer:
            return json.loads(answer.read())["data"]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings["POSTGRES_DSN"]) as connection:
            return connection.execute(query.encode()).fetchall()

    def grant(self, client: str, permission: str, *more: str) -> str:
        """Grant the permission to a client; its new key, or secret."""
        arguments = ["create", "--client", client, "--permission", permission, *more]
        command = [sys.executable, "-m", "shared.platform.access.api_keys", *arguments]
        made = subprocess.run(
            command, cwd=ROOT, env=os.environ | self.settings, check=True, capture_output=True, text=True
        )
        return made.stdout.strip()

    def mails(self) -> list[dict[str, Any]]:
        with urlopen(self._mails, timeout=10) as answer:
            return json.loads(answer.read())


Start = Callable[..., Any]


@pytest.fixture
def shared(migrated_dsn: str, storage_connection: str, cosmos: CosmosProcess) -> dict[str, str]:
    """The settings that lead to the servers of all tests, of which this one has a database and a container."""
    return {
        "POSTGRES_DSN": migrated_dsn,
        "STORAGE_CONNECTION": storage_connection,
        "AzureWebJobsStorage": storage_connection,
        "WATERMARK_CONTAINER": f"watermarks-{uuid4().hex}",
        "COSMOS_CONNECTION": cosmos.connection_string,
        "ADMIN_API_KEY": KEY,
        "NIVODA_REQUESTS_PER_SECOND": "0",
    }


@pytest.fixture
def running(tmp_path: Path, shared: dict[str, str]) -> Start:
    """Starts the host and what it needs: `async with running("--diamonds", "5000", INGEST_SECONDS="2") as app`.

    Nothing is deployed, so the platform for deployed apps stays away.
    """

    @asynccontextmanager
    async def start(*supplier: str, **changes: str) -> AsyncGenerator[Running]:
        with services_of_its_own(tmp_path / "local", *supplier) as (ports, own):
            known = own | shared | changes
            with ForkedHost(ROOT, tmp_path / "host", environment=known) as host:
                yield Running(known, ports, host)

    return start
