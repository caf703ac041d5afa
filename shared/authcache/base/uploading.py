"""Puts a segment's files into the container, before a manifest names them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shared.authcache.base.manifest import Segment
from shared.authcache.settings import settings
from shared.platform.files import read_chunks
from shared.platform.stores.blob_files import create_blob

_AT_ONCE = 4


async def upload(segment: Segment, folder: Path) -> None:
    """Write the segment's blobs, under names that nobody else uses.

    Raises:
        TransientError: Blob Storage did not take one; those that it took are cleaned up later.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with turns:
            await create_blob(settings().authcache_container, f"{segment.name}/{name}", read_chunks(folder / name))

    await asyncio.gather(*(one(file.name) for file in segment.files))
