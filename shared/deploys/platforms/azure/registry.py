"""Images, built by ACR Tasks: a named task run each, so that asking for one twice builds once.

A task run names its run, with id and status, from the answer to its creation on: the example of TaskRuns_Create for API
version 2025-03-01-preview in Microsoft's specifications shows it as `Creating`, with a run that is `Queued`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.deploys.models import DeploymentSpec
from shared.deploys.platforms.azure.names import REGISTRY_API, TASKS_API, Place, app_name, suffix, task_run_name
from shared.deploys.recipes.root import DOCKERFILE
from shared.deploys.settings import settings
from shared.platform.calls.arm import Json, Refused, ResourceManager
from shared.platform.errors import NotFound, TerminalError, TransientError
from shared.platform.files import read_chunks

if TYPE_CHECKING:
    from httpx import AsyncClient

UPLOAD_SECONDS: Final = 120
LOG_BYTES: Final = 1_000_000
"""Read of a build's log at once."""
COMPLETE: Final = "x-ms-meta-complete"
SHORTEST_RUN, LONGEST_RUN = 300, 28_800
"""Seconds, which ACR Tasks allows a run."""
NOT_ALLOWED: Final = "TasksOperationsNotAllowed"
"""Azure's refusal of ACR Tasks for the whole subscription."""


@dataclass(frozen=True, slots=True)
class Run:
    """A build. `image` is known when it has succeeded: by its digest where Azure gives that."""

    id: str | None
    status: str
    image: str | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the build changes no more, however it ended."""
        return self.status in ("Succeeded", "Failed", "Canceled", "Error", "Timeout")


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of the builder's output, and whether nothing will come after what is there."""

    data: bytes
    complete: bool = False


class Registry:
    """The registry of the deployed apps' images and its builders."""

    def __init__(self, azure: ResourceManager, where: Place, web: AsyncClient) -> None:
        self._azure = azure
        self._where = where
        self._web = web

    async def server(self) -> str:
        """The host name of the registry, which must be ready.

        Raises:
            TerminalError: there is no such registry.
        """
        resource = await self._azure.find(self._where.registry, REGISTRY_API)
        if resource is None:
            raise TerminalError(
                f"There is no container registry {self._where.registry_name}.",
                code="registry-not-found",
                remedy="Check AZURE_CONTAINER_REGISTRY and AZURE_RESOURCE_GROUP.",
            )
        return str(resource["properties"]["loginServer"])

    async def upload(self, archive: Path) -> str:
        """Bring a packed source to the builder; the path under which a run finds it."""
        with _builds_allowed():
            target = (await self._azure.post(f"{self._where.registry}/listBuildSourceUploadUrl", TASKS_API)).body
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str(await asyncio.to_thread(_size, archive))}
        from httpx import HTTPError  # noqa: PLC0415 - loads in the activity that needs it

        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                answer = await self._web.put(str(target["uploadUrl"]), content=read_chunks(archive), headers=headers)
        except (HTTPError, TimeoutError) as error:
            raise TransientError(
                f"The source could not be uploaded: {type(error).__name__}.", code="upload-failed"
            ) from None  # the cause quotes a signed address
        if not answer.is_success:
            raise TransientError(f"The source could not be uploaded: {answer.status_code}.", code="upload-failed")
        return str(target["relativePath"])

    async def find(self, spec: DeploymentSpec) -> Run | None:
        """The deployment's build, if it was ever requested."""
        task_run = await self._azure.find(self._task_run(spec), TASKS_API)
        if task_run is None:
            return None
        result: Json = _properties(_properties(task_run).get("runResult"))
        run = result.get("runId")
        if not run:
            # Accepted, and not begun; or refused by the builder.
            failed = _properties(task_run).get("provisioningState") in ("Failed", "Canceled")
            return Run(None, "Error" if failed else "Queued")
        build = await self._azure.find(f"{self._where.registry}/runs/{run}", TASKS_API)
        result = _properties(build) if build else result
        return Run(str(run), str(result.get("status", "Queued")), _image(result), result.get("runErrorMessage"))

    async def start(self, spec: DeploymentSpec, source: str, variables: Mapping[str, str]) -> None:
        """Ask for the deployment's build. The variables, which images show to whoever has them, are no secrets."""
        config = settings()
        seconds = min(max(config.deployment_timeout_ms // 1000, SHORTEST_RUN), LONGEST_RUN)
        request = {
            "type": "DockerBuildRequest",
            "imageNames": [image_name(spec)],
            "isPushEnabled": True,
            "dockerFilePath": DOCKERFILE,
            "sourceLocation": source,
            "platform": {"os": "Linux", "architecture": "amd64"},
            "agentConfiguration": {"cpu": max(1, round(config.build_container_cpu))},
            "timeout": seconds,
            "arguments": [{"name": name, "value": value, "isSecret": False} for name, value in variables.items()],
        }
        body = {"location": self._where.location, "properties": {"runRequest": request}}
        with _builds_allowed():
            await self._azure.put(self._task_run(spec), TASKS_API, body)

    async def cancel(self, run: str) -> None:
        """Cancel a build. One that has ended, or is not there, is no error."""
        try:
            await self._azure.post(f"{self._where.registry}/runs/{run}/cancel", TASKS_API)
        except NotFound:
            return
        except TerminalError as error:
            if error.code != "azure-refused":  # refused: it has ended in between
                raise

    async def log(self, run: str, offset: int) -> LogPart:
        """The builder's output from byte `offset` on. ACR Tasks marks the log's blob once it is complete."""
        from httpx import HTTPError  # noqa: PLC0415 - loads in the activity that needs it

        try:
            link = (await self._azure.post(f"{self._where.registry}/runs/{run}/listLogSasUrl", TASKS_API)).body
        except NotFound:
            return LogPart(b"")
        if not link.get("logLink"):
            return LogPart(b"")
        start = max(offset - 1, 0)  # a byte that is there: the mark comes with no answer that has none
        headers = {"Range": f"bytes={start}-{start + LOG_BYTES - 1}"}
        try:
            answer = await self._web.get(str(link["logLink"]), headers=headers)
        except HTTPError as error:
            raise TransientError(
                f"The build's log could not be read: {type(error).__name__}.", code="log-unavailable"
            ) from None  # the cause quotes a signed address
        if not answer.is_success:
            return LogPart(b"")  # not begun yet
        begins = start if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        data = answer.content[offset - begins : offset - begins + LOG_BYTES]
        return LogPart(data, COMPLETE in answer.headers and not data)

    async def forget(self, spec: DeploymentSpec) -> None:
        """Cancel the deployment's build if it is still going on, and delete its task run. The image stays."""
        run = await self.find(spec)
        if run is None:
            return
        if run.id and not run.ended:
            await self.cancel(run.id)
        await self._azure.delete(self._task_run(spec), TASKS_API)

    def _task_run(self, spec: DeploymentSpec) -> str:
        return f"{self._where.registry}/taskRuns/{task_run_name(spec)}"


@contextmanager
def _builds_allowed() -> Generator[None]:
    try:
        yield
    except Refused as refusal:
        if refusal.azure_code != NOT_ALLOWED:
            raise
        raise TerminalError(
            "The subscription may not build images: ACR Tasks are not offered to free, student and some credit ones.",
            code="builds-not-allowed",
            remedy="Ask the operator, who has to provision in a paid subscription.",
        ) from None


def image_name(spec: DeploymentSpec) -> str:
    """The image with its tag, and without the registry's host name, which ACR Tasks adds."""
    return f"apps/{app_name(spec)}:{suffix(spec)}"


def _image(result: Json) -> str | None:
    images: list[Json] = result.get("outputImages") or []
    for image in images:
        where = f"{image['registry']}/{image['repository']}"
        return f"{where}@{image['digest']}" if image.get("digest") else f"{where}:{image['tag']}"
    return None


def _properties(resource: Json | None) -> Json:
    return (resource or {}).get("properties") or {}


def _size(path: Path) -> int:
    return path.stat().st_size
