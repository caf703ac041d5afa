"""The papers on this machine: PostgreSQL, Azurite, and the host as a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest

from local.cosmos.testing import CosmosProcess
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.services import services_of_its_own

ROOT = Path(__file__).parents[3]
KEY = "acceptance"


class PapersApp:
    """The app and what it stands on, as a client sees it."""

    def __init__(self, settings: dict[str, str], host: ForkedHost) -> None:
        self.settings = settings
        self.host = host

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.host.request(method, path, body, headers={"X-Admin-Key": KEY}, timeout=60)
        assert answer.status == status, (answer.status, answer.body)
        return answer.json() if answer.body else None

    def upload(self, name: str, data: bytes, source: str = "arxiv") -> str:
        """Put a file into the inbox, as a client does; its blob's name."""
        target = self.ask("POST", "/api/papers/uploads", {"name": name, "source": source})
        request = Request(target["url"], data=data, method="PUT", headers=target["headers"])
        with urlopen(request, timeout=60) as answer:
            assert answer.status == 201
        return target["blob"]

    def ended(self, path: str, seconds: float = 120) -> Any:
        """The ingest at this path, once it has ended."""
        deadline = time.monotonic() + seconds
        while (found := self.ask("GET", path))["state"] in ("waiting", "reading", "merging"):
            assert time.monotonic() < deadline, (found, self.host.output[-40:])
            time.sleep(0.1)
        return found

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for it."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.host.output[-40:]
            time.sleep(0.1)

    def map_made(self) -> int:
        """Make a version of the map; its number."""
        version = self.ask("POST", "/api/papers/map/versions", status=202)["version"]
        self.until(lambda: self.map_state(version) in ("current", "failed"), 120)
        assert self.map_state(version) == "current", self.ask("GET", "/api/papers/map/versions")
        return version

    def map_state(self, version: int) -> str:
        """What has become of a version."""
        found = self.ask("GET", "/api/papers/map/versions")["versions"]
        return next(one["state"] for one in found if one["version"] == version)

    def read(self, path: str, headers: dict[str, str] | None = None, *, status: int = 200) -> tuple[bytes, Any]:
        """Bytes and headers of an answer that is no JSON."""
        request = Request(f"{self.host.url}{path}", headers={"X-Admin-Key": KEY, **(headers or {})})
        try:
            answer = urlopen(request, timeout=60)
        except HTTPError as error:  # it can be read as any other answer
            answer = error
        with answer:
            assert answer.status == status
            return answer.read(), answer.headers

    def minute(self) -> None:
        """Let the minute timer fire."""
        self.ask("POST", "/admin/functions/operations_minute", {}, status=202)

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings["POSTGRES_DSN"]) as connection:
            found = connection.execute(query.encode(), parameters)
            return found.fetchall() if found.description else []


def lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


@pytest.fixture
def running(tmp_path: Path, migrated_dsn: str, storage_connection: str, cosmos: CosmosProcess) -> Callable[..., Any]:
    """Starts the host and what it needs: `with running(PAPERS_PART_MB="1") as app`."""

    @contextmanager
    def start(**changes: str) -> Generator[PapersApp]:
        shared = {
            "ADMIN_API_KEY": KEY,
            "POSTGRES_DSN": migrated_dsn,
            "STORAGE_CONNECTION": storage_connection,
            "AzureWebJobsStorage": storage_connection,
            "COSMOS_CONNECTION": cosmos.connection_string,
            "PAPERS_CONTAINER": f"papers-{uuid4().hex[:12]}",
        }
        with services_of_its_own(tmp_path / "local") as (_, own):
            known = own | shared | changes
            with ForkedHost(ROOT, tmp_path / "host", environment=known) as host:
                yield PapersApp(known, host)

    return start
