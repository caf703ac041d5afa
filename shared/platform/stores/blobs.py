"""Small JSON documents in Blob Storage, changed only by whoever saw the newest version."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies
from weakref import WeakKeyDictionary

from shared.platform.credentials import credential
from shared.platform.errors import Conflict, ManifoldError, TerminalError, TransientError
from shared.platform.per_loop import PerLoop
from shared.platform.settings import settings

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient

CLOCK_SKEW = timedelta(minutes=5)
"""How long before now what we sign begins to be valid, since the service's clock is another."""
ARCHIVED = ("BlobArchived", "BlobBeingRehydrated")
"""What Blob Storage says of a blob that cannot be read yet."""
BLOB_ARCHIVED = "blob-archived"
"""The code of the error of whoever reads one."""
CHUNK_BYTES = 4 << 20
"""Read at once: the client's own default for the first read is 32 MB, which it holds twice."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob's bytes and the ETag of this version."""

    data: bytes
    etag: str


def blob_service() -> BlobServiceClient:
    """The client of the app's storage account for this event loop, opened once.

    Raises:
        TerminalError: neither STORAGE_CONNECTION nor STORAGE_BLOB_ENDPOINT is set.
    """
    return _services.get()


def _open_service() -> BlobServiceClient:
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415 - loads in the activity that needs it
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415 - as above

    # The SDK would log every request's headers.
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
    # With the environment's settings every request reads ~/.netrc and looks for a proxy, each in another thread.
    transport: Any = AioHttpTransport(use_env_settings=bool(getproxies()))
    options: dict[str, Any] = {"max_single_get_size": CHUNK_BYTES, "transport": transport}
    if connection := settings().storage_connection:
        service = BlobServiceClient.from_connection_string(connection.get_secret_value(), **options)
    elif endpoint := settings().storage_blob_endpoint:
        service = BlobServiceClient(endpoint, credential=credential(), **options)
    else:
        raise TerminalError(
            "No storage account is named.", code="settings", remedy="Set STORAGE_BLOB_ENDPOINT or STORAGE_CONNECTION."
        )
    _transports[service] = transport
    return service


def transport_of(service: BlobServiceClient) -> Any:
    """What carries the requests of a client of `blob_service`, and is closed with it."""
    return _transports[service]


_services = PerLoop(_open_service)
_transports: WeakKeyDictionary[BlobServiceClient, Any] = WeakKeyDictionary()


async def read_blob(container: str, name: str) -> Blob | None:
    """The blob, or None if it (or its container) does not exist."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    try:
        stream = await blob_service().get_blob_client(container, name).download_blob()
        return Blob(await stream.readall(), stream.properties.etag)
    except ResourceNotFoundError:
        return None
    except AzureError as error:
        raise unavailable(container, name, error) from error


async def read_range(container: str, name: str, start: int, length: int) -> bytes | None:
    """`length` bytes of the blob from `start` on, fewer where it ends; None if it (or its container) does not exist."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    try:
        stream = await blob_service().get_blob_client(container, name).download_blob(start, length)
        return await stream.readall()
    except ResourceNotFoundError:
        return None
    except AzureError as error:
        raise unavailable(container, name, error) from error


async def write_blob(container: str, name: str, data: bytes, *, seen: str | None) -> str:
    """Write the blob if it still is the version with ETag `seen` (None: if it does not exist) and give its new ETag.

    Raises:
        Conflict: somebody else wrote it in between.
    """
    from azure.core import MatchConditions  # noqa: PLC0415 - loads in the activity
    from azure.core.exceptions import (  # noqa: PLC0415 - loads in the activity
        AzureError,
        ResourceExistsError,
        ResourceModifiedError,
        ResourceNotFoundError,
    )

    service = blob_service()
    condition: dict[str, Any] = (
        {"etag": seen, "match_condition": MatchConditions.IfNotModified} if seen else {"overwrite": False}
    )
    try:
        for create in (True, False):
            try:
                written = await service.get_blob_client(container, name).upload_blob(data, **condition)
                return str(written["etag"])
            except ResourceNotFoundError:
                if not create:
                    raise
                await service.create_container(container)
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise Conflict(f"The blob {container}/{name} was changed by somebody else.", code="blob-changed") from error
    except AzureError as error:
        raise unavailable(container, name, error) from error
    raise AssertionError


async def close_blobs() -> None:
    """Close this loop's client, if it has one. For commands and tests, whose loop ends."""
    service = _services.pop()
    if service is not None:
        await service.close()


def unavailable(container: str, name: str, error: Exception) -> ManifoldError:
    """The error of whoever could not reach a blob."""
    if getattr(error, "error_code", None) in ARCHIVED:
        return TerminalError(
            f"{container}/{name} is in the archive tier, and cannot be read before it was brought back.",
            code=BLOB_ARCHIVED,
            remedy="Set its tier to Hot or Cool, which takes up to 15 hours, and then try again.",
        )
    return TransientError(
        f"Blob Storage did not do its part for {container}/{name}: {type(error).__name__}.", code="storage-unavailable"
    )
