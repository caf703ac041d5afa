"""Deployments on this machine: real services and stand-ins, the platform, and the host as a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from local.host.testing import Answer, HostProcess
from local.up import Options, Ports, Stack, stack

ROOT = Path(__file__).parents[3]
KEY = "acceptance"
ORGANIZATION = "acme"
APP = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write({answer!r}.encode())

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""
BROKEN = "raise SystemExit('this version is broken')\n"
BUILD = """
import os, sys, time
from pathlib import Path

with open({builds!r}, "a") as file:
    file.write({name!r} + "\\n")
print("building", {name!r}, flush=True)
print("parent", os.getppid(), "user", os.getuid(), flush=True)
deadline = time.monotonic() + {seconds}
while time.monotonic() < deadline:
    print(".", flush=True)
    time.sleep(0.1)
"""


def archive(files: dict[str, str]) -> bytes:
    held = BytesIO()
    with ZipFile(held, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return held.getvalue()


class Deploys:
    """The app and what it stands on, as a client of an organization sees it."""

    def __init__(self, services: Stack, host: HostProcess, folder: Path) -> None:
        self.services = services
        self.host = host
        self.builds = folder / "builds"  # builds run as users of their own
        self.builds.touch()
        folder.chmod(0o755)
        self.builds.chmod(0o666)

    def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        answer = self.request(method, path, body)
        assert status is None or answer.status == status, (answer.status, answer.body)
        return answer.json()

    def request(self, method: str, path: str, body: Any = None) -> Answer:
        return self.host.request(method, path, body, headers={"X-Admin-Key": KEY}, timeout=60)

    def upload(self, project: str, app: str, *, build_seconds: float = 0) -> str:
        build = BUILD.format(builds=str(self.builds), name=project, seconds=build_seconds)
        data = archive({"app.py": app, "build.py": build})
        path = f"/deploy/project/{project}/source?organizationId={ORGANIZATION}"
        return self.ask("PUT", path, data, status=201)["sourceHash"]

    def deploy(self, project: str, answer: str | None = None, *, build_seconds: float = 0, **changes: Any) -> str:
        """Deploy an app that answers this, or (None) one that is broken; the deployment's id."""
        app = BROKEN if answer is None else APP.format(answer=answer)
        asked = {
            "projectId": project,
            "userId": "user",
            "organizationId": ORGANIZATION,
            "projectName": project,
            "sourceHash": self.upload(project, app, build_seconds=build_seconds),
            "buildCommand": "python build.py",
            "startCommand": "python app.py",
            **changes,
        }
        return self.ask("POST", "/deploy", asked, status=202)["deploymentId"]

    def state(self, deployment: str) -> dict[str, Any]:
        return self.ask("GET", f"/deploy/{deployment}/status", status=200)

    def wait(self, deployment: str, seconds: float = 90) -> dict[str, Any]:
        """Its state, once it has ended."""
        return self.until(deployment, lambda found: found["status"] in ("completed", "failed", "cancelled"), seconds)

    def until(self, deployment: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not holds(found := self.state(deployment)):
            assert time.monotonic() < deadline, (found, self.log(deployment), self.host.output[-40:])
            time.sleep(0.05)
        return found

    def log(self, deployment: str) -> str:
        """All of the deployment's log, followed page by page."""
        lines: list[str] = []
        after = 0
        while True:
            page = self.ask("GET", f"/deploy/{deployment}/logs?after={after}", status=200)
            lines += page["lines"]
            if not page["lines"]:
                return "\n".join(lines)
            after = page["next"]

    def open(self, url: str) -> str:
        with urlopen(url, timeout=20) as answer:
            return answer.read().decode()

    def built(self) -> list[str]:
        return self.builds.read_text().split()

    async def all_ended(self, deployments: list[str], seconds: float = 240) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while True:
            found = [self.state(one) for one in deployments]
            if all(one["status"] in ("completed", "failed", "cancelled") for one in found):
                return found
            assert time.monotonic() < deadline, [one["status"] for one in found]
            await asyncio.sleep(0.5)


@pytest.fixture
def running(tmp_path: Path):
    """Starts everything: `async with running(MAX_CONCURRENT_DEPLOYMENTS="3") as app`."""

    @asynccontextmanager
    async def start(**settings: str) -> AsyncGenerator[Deploys]:
        options = Options(
            ports=Ports.free(),
            folder=tmp_path / "local",
            without=frozenset({"host", "supplier", "smtp"}),
            overrides={"ADMIN_API_KEY": KEY, "LOCAL_PLATFORM_TOKEN": "a-token-of-the-tests", **settings},
        )
        async with stack(options) as services:
            data = tmp_path / "host"
            with HostProcess(ROOT, data, environment=services.settings) as host, TemporaryDirectory() as shared:
                yield Deploys(services, host, Path(shared))

    return start
