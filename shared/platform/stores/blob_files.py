"""Large blobs: written once, read in chunks that are hashed and counted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.platform.errors import Conflict, InvalidInput, NotFound
from shared.platform.stores.blobs import blob_service, unavailable
from shared.platform.stores.paging import each

_LISTED = 1_000
"""Names of one request."""


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A blob in a list, by its name in the container."""

    name: str
    modified: datetime
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class BlobPage:
    """Some blobs of a container, and where the next page begins."""

    blobs: list[ListedBlob]
    continuation: str | None


async def list_blobs(container: str, *, limit: int, prefix: str = "", continuation: str | None = None) -> BlobPage:
    """Up to `limit` blobs in the order of their names, which begin with `prefix`; a missing container has none."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    listed = (
        blob_service()
        .get_container_client(container)
        .list_blobs(name_starts_with=prefix or None, results_per_page=limit)
    )
    pages: Any = listed.by_page(continuation)
    try:
        async for page in pages:
            blobs = [ListedBlob(str(one.name), one.last_modified, str(one.etag), int(one.size)) async for one in page]
            return BlobPage(blobs, pages.continuation_token or None)
    except ResourceNotFoundError:
        pass
    except AzureError as error:
        raise unavailable(container, "", error) from error
    return BlobPage([], None)


async def each_blob(container: str, prefix: str) -> AsyncGenerator[ListedBlob]:
    """All blobs whose names begin with `prefix`, as `list_blobs`, however many they are."""

    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        page = await list_blobs(container, limit=_LISTED, prefix=prefix, continuation=at)
        return page.blobs, page.continuation

    async for blob in each(read):
        yield blob


async def blob_size(container: str, name: str) -> int | None:
    """Bytes of the blob, or None if it (or its container) does not exist."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    try:
        found = await blob_service().get_blob_client(container, name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return int(found.size)


@dataclass(frozen=True, slots=True)
class BlobDetails:
    """What is known of a blob without its bytes."""

    etag: str
    modified: datetime
    size: int
    metadata: Mapping[str, str]


async def blob_details(container: str, name: str) -> BlobDetails | None:
    """What is known of the blob, or None if it (or its container) does not exist."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    try:
        found = await blob_service().get_blob_client(container, name).get_blob_properties()
    except ResourceNotFoundError:
        return None
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return BlobDetails(str(found.etag), found.last_modified, int(found.size), found.metadata or {})


async def bring_online(container: str, name: str) -> bool:
    """Whether the blob can be read. One that is in the archive tier is brought back, which takes hours.

    Raises:
        NotFound: there is no such blob.
    """
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity
    from azure.storage.blob import RehydratePriority, StandardBlobTier  # noqa: PLC0415 - as above

    client = blob_service().get_blob_client(container, name)
    try:
        found = await client.get_blob_properties()
        if found.blob_tier != StandardBlobTier.ARCHIVE:
            return True
        if not found.archive_status:  # it is not on its way yet
            await client.set_standard_blob_tier(StandardBlobTier.HOT, rehydrate_priority=RehydratePriority.HIGH)
            return (await client.get_blob_properties()).blob_tier != StandardBlobTier.ARCHIVE
    except ResourceNotFoundError as error:
        raise NotFound(f"There is no blob {container}/{name}.", code="blob-not-found") from error
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return False


async def replace_blob(
    container: str, name: str, data: AsyncIterable[bytes], *, seen: str | None, metadata: dict[str, str]
) -> None:
    """Write a blob if it still is the version with ETag `seen` (None: if it does not exist).

    Raises:
        Conflict: somebody else wrote it in between.
    """
    from azure.core import MatchConditions  # noqa: PLC0415 - loads in the activity
    from azure.core.exceptions import (  # noqa: PLC0415 - loads in the activity
        AzureError,
        ResourceExistsError,
        ResourceModifiedError,
    )

    condition: dict[str, Any] = (
        {"etag": seen, "match_condition": MatchConditions.IfNotModified, "overwrite": True}
        if seen
        else {"overwrite": False}
    )
    try:
        await ensure_container(container)
        client = blob_service().get_blob_client(container, name)
        await client.upload_blob(data, metadata=metadata, **condition)
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise Conflict(f"The blob {container}/{name} was changed by somebody else.", code="blob-changed") from error
    except AzureError as error:
        raise unavailable(container, name, error) from error


async def create_blob(container: str, name: str, data: bytes | AsyncIterable[bytes]) -> bool:
    """Write a blob that nobody has written yet. False: it is there already, and stays as it is."""
    from azure.core.exceptions import (  # noqa: PLC0415 - loads in the activity
        AzureError,
        ResourceExistsError,
        ResourceModifiedError,
    )

    try:
        await ensure_container(container)
        await blob_service().get_blob_client(container, name).upload_blob(data, overwrite=False)
    except (ResourceExistsError, ResourceModifiedError):
        return False
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return True


async def download_blob(container: str, name: str, path: Path, *, most: int, check: Callable[[], None]) -> str:
    """Copy a blob into a new file in chunks; the sha256 of its bytes. `check` is called between chunks, and may raise.

    Raises:
        NotFound: there is no such blob.
        InvalidInput: it has more than `most` bytes; what was written of it is left.
    """
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    digest, size = hashlib.sha256(), 0
    try:
        stream = await blob_service().get_blob_client(container, name).download_blob()
        file = await asyncio.to_thread(path.open, "xb")
        try:
            async for chunk in stream.chunks():
                check()
                size += len(chunk)
                if size > most:
                    raise InvalidInput(f"{name} is larger than {most:,} bytes.", code="blob-too-large")
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)
    except ResourceNotFoundError as error:
        raise NotFound(f"There is no blob {container}/{name}.", code="blob-not-found") from error
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return digest.hexdigest()


async def delete_blob(container: str, name: str, *, seen: str | None = None) -> bool:
    """Delete a blob, where `seen` is given only the version of that ETag; False: there is none to delete."""
    from azure.core import MatchConditions  # noqa: PLC0415 - loads in the activity
    from azure.core.exceptions import (  # noqa: PLC0415 - as above
        AzureError,
        ResourceModifiedError,
        ResourceNotFoundError,
    )

    condition: dict[str, Any] = {}
    if seen is not None:
        plain = seen.strip('"')  # a list gives it without the quotes that a condition needs
        condition = {"etag": f'"{plain}"', "match_condition": MatchConditions.IfNotModified}
    try:
        await blob_service().get_blob_client(container, name).delete_blob(**condition)
    except (ResourceNotFoundError, ResourceModifiedError):
        return False
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return True


async def ensure_container(container: str) -> None:
    """See that the container exists."""
    from azure.core.exceptions import AzureError, ResourceExistsError  # noqa: PLC0415 - loads in the activity

    client = blob_service().get_container_client(container)
    try:
        if not await client.exists():
            await client.create_container()
    except ResourceExistsError:
        return
    except AzureError as error:
        raise unavailable(container, "", error) from error
