"""Files without blocking the event loop: it serves every other activity of the process meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 1 << 18


@asynccontextmanager
async def scratch_folder(prefix: str) -> AsyncGenerator[Path]:
    """A new temporary folder, which is removed at the end with all that is in it."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=prefix)
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)


async def read_chunks(path: Path) -> AsyncIterator[bytes]:
    """The file's content in chunks of CHUNK_BYTES."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        await asyncio.to_thread(file.close)
