"""Deployments on this machine: real blobs, stand-ins, the platform, and the host as a process of its own."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen
from uuid import uuid4
from zipfile import ZipFile

import httpx
import pytest

from local.apps.testing import running as running_apps
from local.arm.cloud import App, Cloud, Outcome
from local.arm.testing import on_a_thread
from local.cosmos.testing import CosmosProcess
from local.host.testing import Answer
from local.servicebus.testing import running as running_servicebus
from local.up import Ports, settings
from local.up.services import NAMES
from tests.acceptance.forked_host import ForkedHost

ROOT = Path(__file__).parents[3]
KEY = "acceptance"
QUEUES = (
    "consolidate",
    "mail-events",
    "papers",
    # As serviceBus.bicep has it, but for the lock: what a killed host held comes back after five seconds, not sixty.
    "deployments,lock=PT5S,max-delivery=3,ttl=PT1H,duplicate-detection=PT1H,dead-letter-expired",
)
DONE = ("completed", "failed", "cancelled")
APP = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write({answer!r}.encode())

time.sleep({seconds})
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


def random_text(size: int) -> str:
    return base64.b64encode(os.urandom(size)).decode()


class Deploys:
    """The app and what it stands on, as a client of an organization sees it."""

    def __init__(self, host: ForkedHost, environment: Mapping[str, str], folder: Path) -> None:
        self.host = host
        self.environment = environment
        self.organization = f"acme-{uuid4().hex[:12]}"
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

    def upload(self, project: str, files: dict[str, str]) -> str:
        path = f"/deploy/project/{project}/source?organizationId={self.organization}"
        return self.ask("PUT", path, archive(files), status=201)["sourceHash"]

    def deploy(
        self,
        project: str,
        answer: str | None = None,
        *,
        build_seconds: float = 0,
        start_seconds: float = 0,
        ballast: int = 0,
        **changes: Any,
    ) -> str:
        """Deploy an app that answers this, or (None) one that is broken; the deployment's id.

        `ballast` is how many bytes lie in its source besides, which no archive makes smaller.
        """
        app = BROKEN if answer is None else APP.format(answer=answer, seconds=start_seconds)
        build = BUILD.format(builds=str(self.builds), name=project, seconds=build_seconds)
        request_body = {
            "projectId": project,
            "userId": "user",
            "organizationId": self.organization,
            "projectName": project,
            "sourceHash": self.upload(project, {"app.py": app, "build.py": build, "ballast": random_text(ballast)}),
            "buildCommand": "python build.py",
            "startCommand": "python app.py",
            **changes,
        }
        return self.ask("POST", "/deploy", request_body, status=202)["deploymentId"]

    def state(self, deployment: str) -> dict[str, Any]:
        return self.ask("GET", f"/deploy/{deployment}/status", status=200)

    def wait(self, deployment: str, seconds: float = 90) -> dict[str, Any]:
        """Its state, once it has ended."""
        return self.until(deployment, lambda found: found["status"] in DONE, seconds, every=0.25)

    def until(
        self, deployment: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 60, *, every: float = 0.05
    ) -> dict[str, Any]:
        """Its state, once this holds; it is looked at `every` so many seconds."""
        deadline = time.monotonic() + seconds
        while not holds(found := self.state(deployment)):
            assert time.monotonic() < deadline, (found, self.log(deployment), self.host.output[-40:])
            time.sleep(every)
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

    def all_ended(self, deployments: list[str], seconds: float = 240) -> list[dict[str, Any]]:
        """Their states, in their order, once all have ended."""
        deadline = time.monotonic() + seconds
        return [self.wait(one, deadline - time.monotonic()) for one in deployments]


class OnAzure(Deploys):
    """Deployments on the Azure adapter: what becomes of each is told beforehand."""

    def __init__(self, host: ForkedHost, environment: Mapping[str, str], folder: Path, cloud: Cloud) -> None:
        super().__init__(host, environment, folder)
        self.cloud = cloud

    def release(self, project: str, answer: str, outcome: Outcome | None = None, **changes: Any) -> str:
        """Deploy a version that answers this; the deployment's id."""
        self.cloud.usual = outcome or Outcome(answer=(200, answer))
        return self.deploy(project, answer, **changes)

    def apps(self, project: str) -> list[App]:
        """The container apps of a project: none or one."""
        return [one for one in self.cloud.apps.values() if one.body["tags"]["manifold-project"] == project]

    def shares(self, project: str) -> dict[str, int]:
        """Percent of the traffic by the suffix of its revision."""
        traffic = self.apps(project)[0].body["properties"]["configuration"]["ingress"]["traffic"]
        return {one["revisionName"].rpartition("--")[2]: one["weight"] for one in traffic if one["weight"]}

    def active(self, project: str) -> list[str]:
        """The suffixes of the revisions that are not stopped."""
        known = [one for app in self.apps(project) for one in app.revisions.values()]
        return [one.name.rpartition("--")[2] for one in known if one.active]

    def runs(self, project: str) -> list[str]:
        """How the builds of a project stand."""
        return [one.status for one in self.cloud.runs.values() if f"apps/{project}-" in one.request["imageNames"][0]]

    def open(self, url: str) -> str:
        host = url.removeprefix("https://").rstrip("/")
        answer = httpx.get(self.environment["AZURE_MANAGEMENT_ENDPOINT"], headers={"Host": host})
        return answer.raise_for_status().text


@pytest.fixture(scope="session")
def environment(storage_connection: str, cosmos: CosmosProcess) -> dict[str, str]:
    """The settings of an app on what all tests share: blobs and state, of which each test has an organization."""
    return {
        **settings(Ports(), without=NAMES),
        "AzureWebJobsStorage": storage_connection,
        "STORAGE_CONNECTION": storage_connection,
        "COSMOS_CONNECTION": cosmos.connection_string,
        "ADMIN_API_KEY": KEY,
    }


@contextmanager
def hosted(environment: Mapping[str, str], folder: Path) -> Generator[tuple[ForkedHost, dict[str, str]]]:
    """The host as a process, with a queue of its own."""
    with running_servicebus(folder / "servicebus", QUEUES) as servicebus:
        known = {
            **environment,
            "ServiceBus": servicebus.connection_string,
            "SERVICEBUS_RESOURCE": servicebus.resource,
            "MANIFOLD_LOCAL_DIR": str(folder / "local"),
        }
        with ForkedHost(ROOT, folder / "host", environment=known) as host:
            yield host, known


@pytest.fixture
def running(environment: dict[str, str], tmp_path: Path):
    """Starts everything: `with running(MAX_CONCURRENT_DEPLOYMENTS="3") as app`."""
    numbers = count()

    @contextmanager
    def start(**changes: str) -> Generator[Deploys]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        with TemporaryDirectory() as shared, running_apps(folder / "apps") as apps:
            platform = {"LOCAL_PLATFORM_URL": apps.endpoint, "LOCAL_PLATFORM_TOKEN": apps.token}
            with hosted({**environment, **platform, **changes}, folder) as (host, known):
                yield Deploys(host, known, Path(shared))

    return start


@contextmanager
def azure(environment: Mapping[str, str], folder: Path, **changes: str) -> Generator[OnAzure]:
    """The host, and a cloud that it takes for Azure."""
    cloud = Cloud()
    with (
        on_a_thread(cloud, folder) as served,
        TemporaryDirectory() as shared,
        hosted({**environment, **served.environment, "AZURE_POLL_SECONDS": "0.2", **changes}, folder) as (host, known),
    ):
        yield OnAzure(host, known, Path(shared), cloud)


@pytest.fixture(scope="module")
def on_azure(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[OnAzure]:
    """One host and one cloud for all tests of a module, which name their projects differently."""
    with azure(environment, tmp_path_factory.mktemp("azure")) as app:
        yield app


@pytest.fixture
def azure_with(environment: dict[str, str], tmp_path: Path):
    """A host with settings of the test's own: `with azure_with(MAX_CONCURRENT_DEPLOYMENTS="8") as app`."""
    return lambda **changes: azure(environment, tmp_path, **changes)
