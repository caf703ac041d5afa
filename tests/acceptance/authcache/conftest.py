"""The auth cache on this machine: hosts as processes of their own on one log in Azurite, and the mail sink."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from local.cosmos.testing import CosmosProcess
from local.up import Ports
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.services import services_of_its_own

ROOT = Path(__file__).parents[3]
KEY = "acceptance"
PASSWORD = "correct horse battery"


class Host:
    """One host, as a user and an operator see it."""

    def __init__(self, host: ForkedHost) -> None:
        self.host = host

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.host.request(method, f"/api/v1{path}", body, headers=given, timeout=60)

    def ask(
        self, method: str, path: str, body: Any = None, *, user: User | None = None, status: int = 200, lsn: int = 0
    ) -> Any:
        headers = {"Authorization": f"Bearer {user.token}"} if user else {"X_Admin_Key": KEY}
        if lsn:
            headers["X_Lsn"] = str(lsn)
        answer = self.raw(method, path, body, **headers)
        assert answer.status == status, (answer.status, answer.body, self.host.output[-10:])
        if user and answer.headers.get("x-lsn"):
            user.lsn = int(answer.headers["x-lsn"])
        return answer.json() if answer.body else None

    def register(self, email: str, **fields: Any) -> User:
        given = {"email": email, "password": PASSWORD, "first_name": "Ann", "last_name": "Lee", **fields}
        answer = self.raw("POST", "/auth/register", given)
        assert answer.status == 201, (answer.status, answer.body)
        return User(email, answer.json())


class User:
    """A session of somebody."""

    def __init__(self, email: str, tokens: dict[str, Any]) -> None:
        self.email = email
        self.token = tokens["access_token"]
        self.refresh = tokens["refresh_token"]
        self.lsn: int = tokens["lsn"]


class AuthCache:
    """Hosts on one log."""

    def __init__(self, hosts: list[Host], ports: Ports, settings: dict[str, str]) -> None:
        self.hosts = hosts
        self.settings = settings
        self._mails = f"http://127.0.0.1:{ports.mail}/messages"

    def mails(self, to: str) -> list[dict[str, Any]]:
        with urlopen(self._mails, timeout=10) as answer:
            return [mail for mail in json.loads(answer.read()) if to in mail["recipients"]]

    def link(self, to: str, subject: str) -> str:
        """The token of the newest mail of that subject."""
        deadline = time.monotonic() + 30
        while True:
            found = [mail for mail in self.mails(to) if mail["subject"] == subject]
            if found:
                token = re.search(r"[\w-]+\.[\w-]+\.[\w-]+", found[-1]["text"])
                assert token, found[-1]
                return token[0]
            assert time.monotonic() < deadline, self.hosts[0].host.output[-20:]
            time.sleep(0.1)

    def verified(self, host: Host, email: str, **fields: Any) -> User:
        user = host.register(email, **fields)
        host.ask("POST", "/auth/verify", {"token": self.link(email, "Confirm your e-mail address")})
        return user


@pytest.fixture
def running(tmp_path: Path, migrated_dsn: str, storage_connection: str, cosmos: CosmosProcess) -> Callable[..., Any]:
    """Starts hosts and what they need: `async with running(2, AUTHCACHE_REFRESH_SECONDS="60") as app`."""

    @asynccontextmanager
    async def start(hosts: int = 1, **changes: str) -> AsyncGenerator[AuthCache]:
        own_name = uuid.uuid4().hex
        shared = {
            "ADMIN_API_KEY": KEY,
            "POSTGRES_DSN": migrated_dsn,
            "STORAGE_CONNECTION": storage_connection,
            "AzureWebJobsStorage": storage_connection,
            "COSMOS_CONNECTION": cosmos.connection_string,
            "AUTHCACHE_CONTAINER": f"authcache-{own_name}",
            "AUTHCACHE_LAKE_CONTAINER": f"lake-{own_name}",
            "CDC_CACHE_CONTAINER_NAME": f"cdc-{own_name}",
            "AUTHCACHE_DOCUMENTS_CONTAINER": f"documents-{own_name}",
            "AUTHCACHE_FOLDER": str(tmp_path / "cache"),
            "AUTHCACHE_JWT_KEYS": "k" * 40,
        }
        async with AsyncExitStack() as stack:
            ports, own = stack.enter_context(services_of_its_own(tmp_path / "local"))
            known = own | shared | changes
            started = [
                Host(stack.enter_context(ForkedHost(ROOT, tmp_path / f"host{number}", environment=known)))
                for number in range(hosts)
            ]
            yield AuthCache(started, ports, known)

    return start
