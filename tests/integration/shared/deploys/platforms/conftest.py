"""Platforms under the contract: each with a harness that makes deployments of a known outcome and sees who serves."""

import asyncio
import gzip
import io
import json
import os
import random
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from local.apps.testing import AppsProcess
from local.arm.cloud import DOMAIN, Cloud, Outcome
from local.arm.testing import SETTINGS, ToStandIn, served, token_for
from shared.deploys import sources
from shared.deploys.models import SCALES, ArchiveSource, DeploymentSpec
from shared.deploys.platforms.azure import AzurePlatform
from shared.deploys.platforms.azure.builds import CONTEXTS
from shared.deploys.platforms.base import DomainProgress, StepContext
from shared.deploys.platforms.local.platform import LocalPlatform
from shared.platform.calls.arm import ResourceManager
from shared.platform.stores.blobs import read_blob
from tests.fresh_settings import forget_settings
from tests.present import present

APP = """
import http.server, os, sys
print("starting version", {version!r}, os.environ.get("SECRET", ""), flush=True)
{before}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = {body}
        self.send_response({status})
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def new_id() -> str:
    """A deployment's id that no other test has: all of them share one storage, and one list of processes."""
    return "dep_" + "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=12))


class Recorder:
    """A step whose log is kept, and which can be told to cancel."""

    def __init__(self, seconds: float = 60) -> None:
        self.lines: list[str] = []
        self.cancel = asyncio.Event()
        self._more = asyncio.Condition()
        self.step = StepContext(cancelled=self._cancelled, log=self._log, seconds=seconds)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    async def _cancelled(self) -> bool:
        return self.cancel.is_set()

    async def _log(self, text: str) -> None:
        self.lines.append(text)
        async with self._more:
            self._more.notify_all()

    async def logged(self, text: str) -> None:
        """Wait until the log has the text."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: text in self.text)


class LocalHarness:
    """The embedded platform, and deployments of one project on it."""

    def __init__(self, process: AppsProcess, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.platform = LocalPlatform()

    async def spec(self, outcome: str = "good", *, project: str = "shop", **changes) -> DeploymentSpec:
        """A deployment whose source is uploaded: good, broken-build, slow-build, or unhealthy."""
        name = new_id()
        build = {
            "broken-build": "import sys; print('no good'); sys.exit(3)",
            "slow-build": "import time; print('building', flush=True); time.sleep(60)",
        }.get(outcome, "open('built', 'w').write('yes'); print('built it')")
        app = APP.format(
            version=name, before="", body=f"b'served by {name}'", status=500 if outcome == "unhealthy" else 200
        )
        return await self.custom({"build.py": build, "app.py": app}, name=name, project=project, **changes)

    async def custom(
        self, files: dict[str, str], *, name: str = "", project: str = "shop", organization: str = "org", **changes
    ) -> DeploymentSpec:
        """A deployment of these files."""
        name = name or new_id()
        found = await sources.store_archive(organization, project, archive(files))
        values = {
            "deployment_id": name,
            "organization_id": organization,
            "project_id": project,
            "project_name": project,
            "environment": "development",
            "template_type": None,
            "source": ArchiveSource(hash=found),
            "build_command": ("python", "build.py", name) if "build.py" in files else (),
            "start_command": ("python", "app.py", name),
            "custom_domain": None,
            "secrets_reference": None,
            "scale": SCALES["development"],
        }
        return DeploymentSpec.model_validate(values | changes)

    async def who_serves(self, project: str = "shop", environment: str = "development") -> str | None:
        """The deployment that answers at the app's address."""
        for app in await self.apps():
            if (app["project"], app["environment"]) == (project, environment):
                answer = await self.get(app["url"])
                return answer.text.removeprefix("served by ") if answer.is_success else None
        return None

    async def commands(self, spec: DeploymentSpec, recorder: Recorder) -> list[str]:
        """What is run to build the source, in its order, but for where its packages are put."""
        await self.through(spec, recorder, to="build")
        logged = [line.removeprefix("$ ") for line in recorder.text.splitlines() if line.startswith("$ ")]
        return [line for line in logged if line != "python -m venv .venv"]

    async def get(self, url: str, **options) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.get(url, **options)

    async def bound(self, spec: DeploymentSpec, step: StepContext) -> DomainProgress:
        """The custom domain of a deployment, once it is bound."""
        cursor = None
        while not (found := await self.platform.configure_domain(spec, step, cursor)).done:
            cursor = found.cursor
        return found

    async def apps(self) -> list[dict]:
        headers = {"Authorization": f"Bearer {self.process.token}"}
        return (await self.get(f"{self.process.endpoint}/v1/apps", headers=headers)).json()["apps"]

    def processes(self, mark: str) -> list[psutil.Process]:
        """Running processes with the mark in their command line, as every command here has its deployment's id."""
        return [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if mark in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    async def through(self, spec: DeploymentSpec, recorder: Recorder | None = None, *, to: str = "cleanup") -> Any:
        """Take a deployment through its steps, up to one of them; what that step answered."""
        step = (recorder or Recorder()).step
        platform = self.platform
        await platform.validate(spec, step)
        workspace = await platform.provision(spec, step)
        context = await platform.sync(spec, workspace, step)
        if to == "sync":
            return context
        cursor = None
        while True:
            built = await platform.build(spec, context, step, cursor)
            if built.done:
                break
            cursor = built.cursor
        if to == "build":
            return built
        cursor = None
        while True:
            released = await platform.release(spec, present(built.image), step, cursor)
            if released.done:
                break
            cursor = released.cursor
        if to == "release":
            return released.revision
        promoted = await platform.promote(spec, present(released.revision), step)
        if to == "promote":
            return promoted
        await platform.cleanup(spec, step)
        return promoted


class AzureHarness(LocalHarness):
    """Container Apps and ACR Tasks as their stand-in plays them: what becomes of an image is told by its tag."""

    def __init__(self, cloud: Cloud, endpoint: str) -> None:
        self.cloud = cloud
        self.endpoint = endpoint
        self.platform = AzurePlatform(
            ResourceManager(endpoint, token=token_for(cloud, endpoint)),
            web=ToStandIn(endpoint),
        )

    async def spec(self, outcome: str = "good", *, project: str = "shop", **changes) -> DeploymentSpec:
        spec = await self.custom({"build.py": "", "app.py": ""}, project=project, **changes)
        name = spec.deployment_id
        log, build = {
            "broken-build": ("no good\n", "Failed"),
            "slow-build": ("building\n", None),
        }.get(outcome, ("built it\n", "Succeeded"))
        answer = (500, "it hurts") if outcome == "unhealthy" else (200, f"served by {name}")
        self.cloud.outcomes[f"d{name.removeprefix('dep_').lower()}"] = Outcome(build=build, log=log, answer=answer)
        return spec

    async def who_serves(self, project: str = "shop", environment: str = "development") -> str | None:
        for app in self.cloud.apps.values():
            tags = app.body["tags"]
            if (tags["manifold-project"], tags["manifold-environment"]) == (project, environment):
                answer = await self.get(f"https://{app.name}.{DOMAIN}")
                return answer.text.removeprefix("served by ") if answer.is_success else None
        return None

    async def commands(self, spec: DeploymentSpec, recorder: Recorder) -> list[str]:
        context = await self.through(spec, recorder, to="sync")
        blob = present(await read_blob(CONTEXTS, context.reference))
        with tarfile.open(fileobj=io.BytesIO(blob.data)) as tar:
            lines = present(tar.extractfile("Dockerfile")).read().decode().splitlines()
        return [" ".join(json.loads(line.removeprefix("RUN "))) for line in lines if line.startswith("RUN ")]

    async def get(self, url: str, **options) -> httpx.Response:
        async with httpx.AsyncClient(transport=ToStandIn(self.endpoint)) as http:
            return await http.get(url, **options)


@pytest.fixture
def apps_folder():
    """Below /tmp itself: pytest's own folders are closed to the users that apps run as under root."""
    path = Path("/tmp") / f"manifold-apps-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def local_harness(apps_folder, storage, monkeypatch):
    process = AppsProcess(apps_folder / "apps")
    monkeypatch.setenv("LOCAL_PLATFORM_URL", process.endpoint)
    monkeypatch.setenv("LOCAL_PLATFORM_TOKEN", process.token)
    monkeypatch.setenv("MANIFOLD_LOCAL_DIR", str(apps_folder))
    monkeypatch.setattr("shared.deploys.platforms.local.platform.HEALTH_SECONDS", 5)
    forget_settings()
    with process.running():
        yield LocalHarness(process, apps_folder / "apps")
    forget_settings()


@pytest.fixture
async def azure_harness(storage, tmp_path, monkeypatch):
    for name, value in {**SETTINGS, "MANIFOLD_LOCAL_DIR": str(tmp_path), "AZURE_POLL_SECONDS": "0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("shared.deploys.platforms.azure.releases.HEALTH_SECONDS", 1)
    forget_settings()
    async with served(cloud := Cloud()) as endpoint:
        harness = AzureHarness(cloud, endpoint)
        yield harness
        await harness.platform.close()
    forget_settings()


@pytest.fixture(params=["local", "azure"])
def harness(request):
    """Each platform in its turn. Another one joins by a fixture <name>_harness with the same methods."""
    return request.getfixturevalue(f"{request.param}_harness")


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def recorders():
    return Recorder
