"""Uploaded archives: private blobs named by their content, so that each is kept once and cannot be swapped."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.archives import kind_of
from shared.deploys.sources.tree import damaged
from shared.platform.errors import InvalidInput, NotFound, PayloadTooLarge
from shared.platform.stores import blob_files
from shared.platform.stores.signed_urls import UPLOAD_HEADERS, create_url

CONTAINER: Final = "deploy-sources"
ROUTE_BYTES: Final = 50_000_000
"""Of an archive that comes through the app, which holds it in memory."""
UPLOAD_BYTES: Final = 250_000_000
"""Of an archive that goes straight to Blob Storage. Held when it is used: a signed URL cannot say how much."""
URL_LIFETIME: Final = timedelta(minutes=15)
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """Where to PUT an archive of a known hash, until when, and with which headers."""

    url: str
    expires_at: datetime
    headers: dict[str, str]


def blob_name(organization_id: str, project_id: str, source_hash: str) -> str:
    """The archive's name in the container.

    Raises:
        InvalidInput: the hash is not the hexadecimal sha256 of something.
    """
    if not _HASH.fullmatch(source_hash):
        raise InvalidInput(
            "A source's hash is the sha256 of its bytes, as 64 hexadecimal digits in lower case.", field="sourceHash"
        )
    return f"{organization_id}/{project_id}/{source_hash}"


async def store_archive(organization_id: str, project_id: str, data: bytes) -> str:
    """Keep an archive that came through the app; its hash. The same bytes are kept once.

    Raises:
        PayloadTooLarge: it is over ROUTE_BYTES.
        InvalidInput: it is neither a zip nor a tar.gz.
    """
    if len(data) > ROUTE_BYTES:
        raise PayloadTooLarge(
            f"The archive has more than {ROUTE_BYTES:,} bytes.",
            remedy="Ask for an upload URL and send it there.",
        )
    kind_of(data[:4])
    source_hash = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    await blob_files.create_blob(CONTAINER, blob_name(organization_id, project_id, source_hash), data)
    return source_hash


async def upload_url(organization_id: str, project_id: str, source_hash: str) -> UploadUrl:
    """Where a client PUTs a large archive itself. What arrives there is checked against the hash when it is used.

    Raises:
        InvalidInput: the hash is none.
    """
    name = blob_name(organization_id, project_id, source_hash)
    signed = await create_url(CONTAINER, name, URL_LIFETIME)
    return UploadUrl(signed.url, signed.expires_at, dict(UPLOAD_HEADERS))


async def exists(organization_id: str, project_id: str, source_hash: str) -> bool:
    """Whether an archive of that hash was uploaded."""
    return await blob_files.blob_size(CONTAINER, blob_name(organization_id, project_id, source_hash)) is not None


async def require(organization_id: str, project_id: str, source_hash: str) -> None:
    """Raises InvalidInput: the archive was not uploaded for the project (`source-not-found`)."""
    if not await exists(organization_id, project_id, source_hash):
        raise _not_uploaded(source_hash)


async def download(
    organization_id: str, project_id: str, source_hash: str, path: Path, cancelled: Callable[[], bool]
) -> None:
    """Copy an archive into a new file, and see that it is what its name says. One that is not is deleted.

    Raises:
        InvalidInput: nobody uploaded it (`source-not-found`), it is too large, or has another hash.
        DeploymentCancelled: `cancelled` said so.
    """
    name = blob_name(organization_id, project_id, source_hash)

    def check() -> None:
        if cancelled():
            raise DeploymentCancelled

    try:
        digest = await blob_files.download_blob(CONTAINER, name, path, most=UPLOAD_BYTES, check=check)
    except NotFound:
        raise _not_uploaded(source_hash) from None
    except InvalidInput:
        await blob_files.delete_blob(CONTAINER, name)
        raise damaged(f"it is larger than {UPLOAD_BYTES:,} bytes") from None
    if digest != source_hash:
        await blob_files.delete_blob(CONTAINER, name)
        raise damaged(f"its bytes have the hash {digest} and were announced as {source_hash}")


def _not_uploaded(source_hash: str) -> InvalidInput:
    return InvalidInput(
        f"No source with the hash {source_hash} was uploaded for this project.",
        field="sourceHash",
        code="source-not-found",
        remedy="Upload it, or deploy the hash that an upload answered.",
    )
