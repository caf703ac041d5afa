"""Files in Blob Storage that rows name, such as those of a map: copied with the rows, and brought back with them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from shared.backups.blobs.fetching import corrupt, fetch
from shared.backups.models import CarriedFile
from shared.backups.settings import settings
from shared.platform.errors import Conflict, NotFound
from shared.platform.files import read_chunks, scratch_folder
from shared.platform.stores.blob_files import (
    ListedBlob,
    blob_details,
    bring_online,
    download_blob,
    each_blob,
    replace_blob,
)

if TYPE_CHECKING:
    from shared.backups.models import Manifest

MOST_BYTES = 1 << 30
"""Of a file; a map of ten million papers has 70 MB."""
WORK = "/work/"
"""Folder of what a file is made from, which nothing needs once it is made."""


async def carry(chain: str) -> list[CarriedFile]:
    """Copy the files of BACKUPS_FILES that no backup of the chain has; all that there are now."""
    carried: list[CarriedFile] = []
    for place in settings().backups_files.split(","):
        container, _, folder = place.strip().partition("/")
        blobs = each_blob(container, f"{folder.rstrip('/')}/")
        copies = [await _carried(chain, container, blob) async for blob in blobs if WORK not in blob.name]
        carried += [copy for copy in copies if copy is not None]
    return carried


async def bring_back(manifest: Manifest) -> int:
    """Write the backup's files to where they were, all but those that are there as they were; how many were written.

    Raises:
        TerminalError: a copy is missing, damaged, or in the archive; the files before it are back.
    """
    written = 0
    for file in manifest.files:
        there = await blob_details(file.container, file.name)
        if there is not None and await digest_of(file.container, file.name) == file.sha256:
            continue
        async with scratch_folder("manifold-restore-") as folder:
            path = folder / "file"
            await fetch(file.blob, file.sha256, path, most=MOST_BYTES)
            seen = there.etag if there is not None else None
            await replace_blob(file.container, file.name, read_chunks(path), seen=seen, metadata={})
        written += 1
    return written


async def rehydrate(manifest: Manifest) -> int:
    """Have all that the backup needs brought back from the archive; how many blobs cannot be read yet.

    Raises:
        TerminalError: one is missing (`backup-corrupt`).
    """
    blobs = {chunk.blob for table in manifest.tables for chunk in table.chunks} | {file.blob for file in manifest.files}
    blobs |= {manifest.others.blob} if manifest.others else set()
    waiting = 0
    for blob in sorted(blobs):
        try:
            waiting += not await bring_online(settings().backups_container, blob)
        except NotFound as error:
            raise corrupt(blob, "it is missing") from error
    return waiting


async def damaged(manifest: Manifest) -> list[str]:
    """Which copies are not as they were written."""
    return [
        f"file {file.container}/{file.name}: its copy is missing or damaged"
        for file in manifest.files
        if await digest_of(settings().backups_container, file.blob) != file.sha256
    ]


async def digest_of(container: str, name: str) -> str | None:
    """The sha256 of a blob's bytes; None: there is none."""
    async with scratch_folder("manifold-backup-") as folder:
        try:
            return await download_blob(container, name, folder / "file", most=MOST_BYTES, check=lambda: None)
        except NotFound:
            return None


async def _carried(chain: str, container: str, blob: ListedBlob) -> CarriedFile | None:
    # Another version of a blob has another ETag, and with it another copy.
    mark = hashlib.sha256(blob.etag.encode()).hexdigest()[:16]
    copy = f"files/{chain}/{container}/{blob.name}.{mark}"
    known = await blob_details(settings().backups_container, copy)
    if known is not None and (metadata := known.metadata).keys() >= {"sha256", "size"}:
        return CarriedFile(
            container=container, name=blob.name, blob=copy, sha256=metadata["sha256"], size=int(metadata["size"])
        )
    async with scratch_folder("manifold-backup-") as folder:
        path = folder / "file"
        try:
            digest = await download_blob(container, blob.name, path, most=MOST_BYTES, check=lambda: None)
        except NotFound:  # of a map that was dropped meanwhile
            return None
        size = (await asyncio.to_thread(path.stat)).st_size
        try:
            await replace_blob(
                settings().backups_container,
                copy,
                read_chunks(path),
                seen=known.etag if known else None,  # one that says nothing of itself is none of ours
                metadata={"sha256": digest, "size": str(size)},
            )
        except Conflict:  # another backup has copied it meanwhile
            return await _carried(chain, container, blob)
    return CarriedFile(container=container, name=blob.name, blob=copy, sha256=digest, size=size)
