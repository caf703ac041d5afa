"""The log of a deployment, for its owner: one append blob each, read from an offset on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Final

from shared.platform.errors import TransientError
from shared.platform.redaction import Redactor
from shared.platform.stores.blob_files import blob_size
from shared.platform.stores.blobs import blob_service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.storage.blob.aio import BlobClient

CONTAINER: Final = "deploy-logs"
BLOCK_BYTES: Final = 65_536
FLUSH_SECONDS: Final = 0.5
LOG_BYTES: Final = 20_000_000
"""Of one deployment. Of what is written beyond, the last END_BYTES of each time box are kept."""
END_BYTES: Final = 65_536
KEPT_BYTES: Final = 4_000_000
"""Of lines that wait while Blob Storage is away: what a step ends in is not decided by its log."""
READ_BYTES: Final = 65_536
MARKED_BYTES: Final = 4_000_000
APPENDS: Final = 10
"""Attempts to append where others do."""
PASSED_OVER: Final = 50

logger = logging.getLogger(__name__)


class DeploymentLog:
    """Writes a deployment's log: lines are gathered for half a second, since each append is a request.

    Ended by `flush` or `write_last`. Lines that could not be appended stay for the next attempt. Once the log is full,
    the end of what is written is kept.

    Args:
        redact: what hides the deployment's secrets. The last line is held back while it may end within a value.
        written: lines that an earlier run of the same time box has appended; they are not appended again.
        size: bytes of the log by now, where they are known.
    """

    def __init__(
        self,
        organization: str,
        deployment: str,
        redact: Redactor,
        written: Iterable[str] = (),
        size: int | None = None,
    ) -> None:
        self._name = blob_name(organization, deployment)
        self._redact = redact
        self._size = size
        self._known = deque(written)
        self._text = ""
        self._lines: list[bytes] = []
        self._appended = asyncio.get_running_loop().time()
        self._turn = asyncio.Lock()
        self._full = False
        self._end: deque[bytes] = deque()
        self._left_out = 0

    async def write(self, text: str) -> None:
        """Add the lines of the text, each with the time.

        Those that cannot be appended now are kept for later, the last KEPT_BYTES of them.
        """
        self._text += text if text.endswith("\n") else f"{text}\n"
        redacted, self._text = self._redact.split(self._text)
        self._add(redacted)
        late = asyncio.get_running_loop().time() - self._appended > FLUSH_SECONDS
        waiting = sum(map(len, self._lines))
        if late or waiting > BLOCK_BYTES:
            try:
                await self._append()
            except TransientError:
                logger.warning(
                    "Lines of a deployment's log were not written yet; they are tried again with the next ones.",
                    extra={"log": self._name},
                )
                self._drop(waiting - KEPT_BYTES)

    async def flush(self) -> None:
        """Append all that was written.

        Raises:
            TransientError: Blob Storage did not accept it.
        """
        rest, self._text = self._redact(self._text), ""
        self._add(rest)
        if self._left_out:
            self._lines.append(f"The log is full: {self._left_out:,} lines are left out here.\n".encode())
            self._left_out = 0
        self._lines += self._end
        self._end.clear()
        await self._append()

    async def write_last(self, text: str = "") -> None:
        """Add the last lines and append what is left. Where that fails, what ended the step matters more."""
        if text:
            await self.write(text)
        try:
            await self.flush()
        except TransientError as error:
            logger.warning("The end of a deployment's log was not written: %s", error, extra={"log": self._name})

    def _add(self, text: str) -> None:
        stamp = datetime.now(UTC).strftime("%H:%M:%S")
        for line in text.splitlines():
            if self._is_known(line):
                continue
            data = f"{stamp} {line}\n".encode(errors="replace")
            if not self._full:
                self._lines.append(data)
                continue
            self._end.append(data)
            while sum(map(len, self._end)) > END_BYTES:
                self._end.popleft()
                self._left_out += 1

    def _drop(self, size: int) -> None:
        """Leave out the oldest waiting lines, of `size` bytes or a little more, and say so in their place."""
        dropped = 0
        while self._lines and size > 0:
            size -= len(self._lines.pop(0))
            dropped += 1
        if dropped:
            self._lines.insert(0, f"Blob Storage was away: {dropped:,} lines are left out here.\n".encode())

    def _is_known(self, line: str) -> bool:
        """Whether an earlier run has appended it. Lines that differ this time, as times do, are passed over."""
        for at, known in enumerate(islice(self._known, PASSED_OVER)):
            if known == line:
                for _ in range(at + 1):
                    self._known.popleft()
                return True
        return False

    async def _append(self) -> None:
        async with self._turn:
            self._appended = asyncio.get_running_loop().time()
            while self._lines:
                if self._size is None:
                    self._size = await blob_size(CONTAINER, self._name) or 0
                count, block = self._block()
                self._size = await _append(self._name, block, self._size)
                self._full = self._size >= LOG_BYTES
                del self._lines[:count]

    def _block(self) -> tuple[int, bytes]:
        """As many of the lines as fit into BLOCK_BYTES, at least one, and their content."""
        size = 0
        for count, line in enumerate(self._lines):
            size += len(line)
            if count and size > BLOCK_BYTES:
                return count, b"".join(self._lines[:count])
        return len(self._lines), b"".join(self._lines)


async def size(organization: str, deployment: str) -> int:
    """Bytes of the log."""
    return await blob_size(CONTAINER, blob_name(organization, deployment)) or 0


async def lines_from(organization: str, deployment: str, offset: int) -> list[str]:
    """The lines from byte `offset` on, without their times; of many, the first MARKED_BYTES."""
    text, _ = await read(organization, deployment, after=offset, limit=MARKED_BYTES)
    return [line.partition(" ")[2] for line in text.splitlines()]


async def read(organization: str, deployment: str, *, after: int, limit: int = READ_BYTES) -> tuple[str, int]:
    """The log from byte `after` on, up to the last whole line within `limit` bytes, and the byte to go on from."""
    data = await _bytes(blob_name(organization, deployment), after, limit)
    whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == limit else b"")
    return whole.decode(errors="replace"), after + len(whole)


async def _bytes(name: str, after: int, limit: int) -> bytes:
    """As many of the log's bytes as there are from there on."""
    from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError  # noqa: PLC0415 - as needed

    try:
        return await (await _blob(name).download_blob(offset=after, length=limit)).readall()
    except ResourceNotFoundError:
        return b""
    except HttpResponseError as error:
        if error.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # nothing there yet
            return b""
        raise _unavailable(error) from error
    except AzureError as error:
        raise _unavailable(error) from error


def blob_name(organization: str, deployment: str) -> str:
    """Where a deployment's log is, in the container deploy-logs."""
    return f"{organization}/{deployment}.log"


async def _append(name: str, data: bytes, size: int) -> int:
    """Append the data to the log of that size; its size then.

    A request says where it appends, so that one that is repeated after its answer was lost does so once.
    """
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - as needed

    blob = _blob(name)
    for _ in range(APPENDS):
        try:
            await blob.append_block(data, appendpos_condition=size)
        except ResourceNotFoundError:
            await _make(blob)
        except AzureError as error:
            if getattr(error, "status_code", None) != HTTPStatus.PRECONDITION_FAILED:
                raise _unavailable(error) from error
            # It was appended already, or another run of the deployment has appended.
            if await _bytes(name, size, len(data)) == data:
                return size + len(data)
            size = await blob_size(CONTAINER, name) or 0
        else:
            return size + len(data)
    raise TransientError("A log was appended to by others each time.", code="log-busy")


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
