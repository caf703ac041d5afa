"""Blob triggers: each new version of a blob runs the function once. Loaded when an app has one."""

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties

from local.host.core.clock import Clock
from local.host.core.errors import ConfigurationError, HostStopping
from local.host.core.functions import Function
from local.host.core.logs import host_log
from local.host.core.tasks import start_task
from local.host.settings.expressions import template_pattern
from local.host.storage.blobs import Blobs, blob_call
from local.host.storage.outages import problem
from local.host.storage.receipts import Receipts
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed

_SCAN_SECONDS = 1.0
_ATTEMPTS = 5


class BlobTrigger:
    """Scans one container for one function, and keeps a receipt of every version that was processed."""

    def __init__(self, blobs: Blobs, dispatcher: Dispatcher, function: Function, folder: Path, clock: Clock) -> None:
        self.function = function
        self._blobs = blobs
        self._dispatcher = dispatcher
        self._clock = clock
        path = function.trigger.text("path").strip("/")
        self._container, _, pattern = path.partition("/")
        if "{" in self._container:
            raise ConfigurationError(
                f"The path '{path}' has an expression in the container's name. Only the blob's name may have one."
            )
        self._pattern = template_pattern(pattern or "{name}")
        digest = hashlib.sha256(f"{function.name}\n{path}".encode()).hexdigest()[:12]
        self._receipts = Receipts(folder / f"{function.name}-{digest}.jsonl")
        self._service = blobs.client(function.trigger.text("connection"))
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to scan."""
        self._task = start_task(self._scan(), f"blob {self.function.name}")

    def stop(self) -> None:
        """Take no more blobs."""
        self._stopping = True

    async def ended(self) -> None:
        """Return when the blob that was taken is processed."""
        if self._task is not None:
            await self._task

    async def _scan(self) -> None:
        logged = False
        container = self._service.get_container_client(self._container)
        while not self._stopping:
            try:
                async for blob in container.list_blobs(include=["metadata"]):
                    if self._stopping:
                        return
                    if self._pattern.match(blob.name) and not self._receipts.has(blob.name, str(blob.etag)):
                        await self._process(blob)
                logged = False
            except ResourceNotFoundError:
                logged = False
            except AzureError as error:
                (host_log.debug if logged else host_log.error)(
                    "Function '%s' cannot list the container '%s': %s",
                    self.function.name,
                    self._container,
                    problem(error),
                )
                logged = True
            for _ in range(10):
                if not self._stopping:
                    await asyncio.sleep(_SCAN_SECONDS / 10)

    async def _process(self, blob: BlobProperties) -> None:
        client = self._service.get_blob_client(self._container, blob.name)
        name = f"{self._container}/{blob.name}"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                found = await client.get_blob_properties()  # a list shows less of them
                data = await (await client.download_blob(decompress=False)).readall()
                reason = f"New blob detected: {name}"
                call = blob_call(self.function, name, client.url, blob=found, data=data, reason=reason)
                await self._dispatcher.run(self.function, call)
            except (HostStopping, ResourceNotFoundError):
                return
            except RunFailed:
                if attempt < _ATTEMPTS:
                    await self._clock.sleep_until(self._clock.now() + timedelta(seconds=0.1 * 2**attempt))
                    continue
                host_log.error(
                    "Function '%s' failed %d times on the blob '%s' and leaves it until it changes. "
                    "Azure writes it to the queue 'webjobs-blobtrigger-poison'.",
                    self.function.name,
                    _ATTEMPTS,
                    name,
                )
            break
        self._receipts.add(blob.name, str(blob.etag))
