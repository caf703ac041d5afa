"""Brings segments from the container to this machine's disk, each once, and clears away those that are not used."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterable
from hashlib import file_digest, sha256
from pathlib import Path
from uuid import uuid4

from shared.authcache.base.format.names import READ_BY_REQUESTS
from shared.authcache.base.manifest import CorruptBase, File, Segment
from shared.authcache.settings import settings
from shared.platform.errors import NotFound
from shared.platform.settings import settings as platform_settings
from shared.platform.stores.blob_files import download_blob

logger = logging.getLogger(__name__)
_whole: set[Path] = set()
"""Folders that this process has fetched, or has compared with their digests."""


def own_folder() -> Path:
    """What belongs to this log on this machine's disk, in the folder that AUTHCACHE_FOLDER names."""
    config = platform_settings()
    connection = config.storage_connection.get_secret_value() if config.storage_connection else ""
    account = sha256(f"{config.storage_blob_endpoint}{connection}".encode()).hexdigest()[:16]
    name = f"{account}-{settings().authcache_container}"
    return Path(tempfile.gettempdir()) / settings().authcache_folder / name


def folder_of(segment: Segment, epoch: int) -> Path:
    """Where the segment lies on this machine's disk, if it does. Processes share it."""
    return own_folder() / f"{epoch}" / segment.name.replace("/", "-")


async def fetch(segment: Segment, epoch: int) -> Path:
    """The folder that holds the segment's files which look-ups need; they are fetched unless they are there.

    What another process left there is compared with the manifest's digests, once in this one.

    Raises:
        CorruptBase: a blob is missing, or is not what the manifest says.
        TransientError: the blobs cannot be read.
    """
    folder = folder_of(segment, epoch)
    if await asyncio.to_thread(folder.exists):
        if folder in _whole or await asyncio.to_thread(_is_whole, folder, segment):
            _whole.add(folder)
            return folder
        logger.warning("A copy of the base on this machine's disk is damaged; it is fetched anew.")
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    partial = folder.with_name(f"{folder.name}.{uuid4().hex[:8]}.part")
    await asyncio.to_thread(partial.mkdir, parents=True)
    try:
        files = [file for file in segment.files if file.name.endswith(READ_BY_REQUESTS)]
        for file in files:  # one by one: of each, megabytes are held while they arrive
            await fetch_file(segment, file, partial)
        try:
            await asyncio.to_thread(partial.rename, folder)
        except OSError:  # another process was faster
            await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
        raise
    _whole.add(folder)
    return folder


def _is_whole(folder: Path, segment: Segment) -> bool:
    for file in (one for one in segment.files if one.name.endswith(READ_BY_REQUESTS)):
        try:
            with (folder / file.name).open("rb") as content:
                if file_digest(content, "sha256").hexdigest() != file.sha256:
                    return False
        except OSError:
            return False
    return True


async def fetch_file(segment: Segment, file: File, folder: Path) -> None:
    """Copy one file of the segment into a folder. Raises as `fetch`."""
    blob = f"{segment.name}/{file.name}"
    try:
        container = settings().authcache_container
        digest = await download_blob(container, blob, folder / file.name, most=file.size, check=lambda: None)
    except NotFound:
        raise CorruptBase(f"The blob {blob} is not there.", retry_after=2) from None
    if digest != file.sha256:
        raise CorruptBase(f"The blob {blob} is not what the manifest says.", retry_after=2)


def clear(used: Iterable[Segment], epoch: int) -> None:
    """Delete from the disk the segments that are not among these. What is mapped stays readable to who has it open."""
    keep = {folder_of(segment, epoch) for segment in used}
    for folder in {one.parent.parent for one in keep}:
        for other in folder.glob("*/base-*"):
            if other not in keep and not other.name.endswith(".part"):
                shutil.rmtree(other, ignore_errors=True)
