"""The log of a deployment, for its owner: one append blob each, read from an offset on."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.deploys.redaction import Redactor
from shared.platform.blobs import blob_service
from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient

CONTAINER: Final = "deploy-logs"
BLOCK_BYTES: Final = 65_536
FLUSH_SECONDS: Final = 0.5
LOG_BYTES: Final = 20_000_000
"""Of one deployment: a build that writes more is cut, with a line that says so."""
READ_BYTES: Final = 65_536

logger = logging.getLogger(__name__)


class DeploymentLog:
    """Writes a deployment's log: lines are gathered for half a second, since each append is a request.

    Ended by `flush` or `write_last`, which write the rest. Lines that could not be appended stay for the next flush.
    """

    def __init__(self, organization: str, deployment: str, redact: Redactor) -> None:
        self._name = blob_name(organization, deployment)
        self._redact = redact
        self._lines: list[bytes] = []
        self._written = asyncio.get_running_loop().time()
        self._turn = asyncio.Lock()
        self._full = False

    async def write(self, text: str) -> None:
        """Add the lines of the text, each with the time."""
        stamp = datetime.now(UTC).strftime("%H:%M:%S")
        for line in self._redact(text).splitlines():
            self._lines.append(f"{stamp} {line}\n".encode(errors="replace"))
        late = asyncio.get_running_loop().time() - self._written > FLUSH_SECONDS
        if late or sum(map(len, self._lines)) > BLOCK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Append what was gathered.

        Raises:
            TransientError: Blob Storage did not accept it.
        """
        async with self._turn:
            self._written = asyncio.get_running_loop().time()
            while self._lines:
                count, block = self._block()
                if not self._full:
                    self._full = await _append(self._name, block)
                del self._lines[:count]

    async def write_last(self, text: str) -> None:
        """Add the last lines and append what is left. Where that fails, what ended the step matters more."""
        try:
            await self.write(text)
            await self.flush()
        except TransientError as error:
            logger.warning("The end of a deployment's log was not written: %s", error, extra={"log": self._name})

    def _block(self) -> tuple[int, bytes]:
        """As many of the lines as fit into BLOCK_BYTES, at least one, and their content."""
        size = 0
        for count, line in enumerate(self._lines):
            size += len(line)
            if count and size > BLOCK_BYTES:
                return count, b"".join(self._lines[:count])
        return len(self._lines), b"".join(self._lines)


async def read(organization: str, deployment: str, *, after: int, limit: int = READ_BYTES) -> tuple[str, int]:
    """The log from byte `after` on, up to the last whole line within `limit` bytes, and the byte to go on from."""
    from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError  # noqa: PLC0415 - as needed

    try:
        stream = await _blob(blob_name(organization, deployment)).download_blob(offset=after, length=limit)
        data = await stream.readall()
    except ResourceNotFoundError:
        return "", after
    except HttpResponseError as error:
        if error.status_code == 416:  # noqa: PLR2004 - nothing there yet
            return "", after
        raise _unavailable(error) from error
    except AzureError as error:
        raise _unavailable(error) from error
    whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == limit else b"")
    return whole.decode(errors="replace"), after + len(whole)


def blob_name(organization: str, deployment: str) -> str:
    """Where a deployment's log is, in the container deploy-logs."""
    return f"{organization}/{deployment}.log"


async def _append(name: str, data: bytes) -> bool:
    """Append the data; True if the log is full now."""
    from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError  # noqa: PLC0415 - as above

    blob = _blob(name)
    appended: Any = {}
    try:
        for create in (True, False):
            try:
                appended = await blob.append_block(data)
                break
            except ResourceNotFoundError:
                if not create:
                    raise
                await _make(blob)
    except AzureError as error:
        raise _unavailable(error) from error
    if int(appended.get("blob_append_offset", 0)) < LOG_BYTES:
        return False
    try:
        await blob.append_block(b"The log is full; what follows is not kept.\n")
    except (AzureError, ResourceExistsError) as error:
        raise _unavailable(error) from error
    return True


async def _make(blob: BlobClient) -> None:
    from azure.core import MatchConditions  # noqa: PLC0415 - as needed
    from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError  # noqa: PLC0415

    for create in (True, False):
        try:
            # Never over one that another activity of the same deployment has just made.
            await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
        except (ResourceExistsError, ResourceModifiedError):
            return
        except ResourceNotFoundError:
            if not create:
                raise
            try:
                await blob_service().create_container(CONTAINER)
            except ResourceExistsError:
                continue
        else:
            return


def _blob(name: str) -> BlobClient:
    return blob_service().get_blob_client(CONTAINER, name)


def _unavailable(error: Exception) -> TransientError:
    return TransientError(f"Blob Storage failed for a log: {type(error).__name__}.", code="storage-unavailable")
