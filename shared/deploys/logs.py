"""What a build and an app said, for their owner: an append blob a deployment, read from an offset on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from shared.deploys.redaction import Redactor
from shared.platform.blobs import blob_service
from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient

CONTAINER: Final = "deploy-logs"
BLOCK_BYTES: Final = 65_536
FLUSH_SECONDS: Final = 0.5
LOG_BYTES: Final = 20_000_000
"""Of one deployment: a build that says more is cut, and said to be."""
READ_BYTES: Final = 65_536


class DeploymentLog:
    """Writes a deployment's log: lines are gathered for half a second, since each append is a request.

    To be closed, which writes the rest; an `async with` does so.
    """

    def __init__(self, organization: str, deployment: str, redact: Redactor) -> None:
        self._name = blob_name(organization, deployment)
        self._redact = redact
        self._lines: list[str] = []
        self._size = 0
        self._written = asyncio.get_running_loop().time()
        self._turn = asyncio.Lock()
        self._full = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flush()

    async def write(self, text: str) -> None:
        """Add the lines of the text, each with the time."""
        stamp = datetime.now(UTC).strftime("%H:%M:%S")
        for line in self._redact(text).splitlines():
            self._lines.append(f"{stamp} {line}\n")
            self._size += len(line) + 10
        late = asyncio.get_running_loop().time() - self._written > FLUSH_SECONDS
        if late or self._size > BLOCK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Write what was gathered.

        Raises:
            TransientError: Blob Storage did not take it.
        """
        async with self._turn:
            data = "".join(self._lines).encode(errors="replace")
            self._lines, self._size = [], 0
            self._written = asyncio.get_running_loop().time()
            if data and not self._full:
                self._full = await _append(self._name, data)


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
                for start in range(0, len(data), BLOCK_BYTES):
                    appended = await blob.append_block(data[start : start + BLOCK_BYTES])
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
    return TransientError(
        f"Blob Storage did not do its part for a log: {type(error).__name__}.", code="storage-unavailable"
    )
