"""Either kind of source, brought into a folder."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from shared.deploys.models import GitSource, Source
from shared.deploys.sources import uploads
from shared.deploys.sources.archives import unpack
from shared.deploys.sources.git import allowed_hosts, clone
from shared.deploys.sources.tree import LIMITS, Limits

_LOOK_S = 0.25


async def fetch(
    source: Source,
    organization_id: str,
    project_id: str,
    folder: Path,
    *,
    cancelled: Callable[[], Awaitable[bool]],
    limits: Limits = LIMITS,
) -> str:
    """Bring the source into a new folder; a line that says what it was. After a failure the folder is gone.

    `cancelled` is asked several times a second.

    Raises:
        NotFound: the archive was not uploaded.
        InvalidInput: the source was refused; the message names the entry and the reason.
        TransientError: storage or the Git server did not answer in time.
        TerminalError: `cancelled` said so (`source-stopped`), or git could not fetch it.
    """
    if isinstance(source, GitSource):
        commit = await clone(source, folder, cancelled=cancelled, limits=limits, hosts=allowed_hosts())
        return f"Fetched commit {commit} of {source.url}"
    stop = threading.Event()

    async def download_and_unpack(archive: Path) -> str:
        await uploads.download(organization_id, project_id, source.hash, archive, stop.is_set)
        done = await asyncio.to_thread(unpack, archive, folder, limits, stop=stop.is_set)
        return f"Unpacked {done.entries:,} entries, {done.bytes:,} bytes, of the {done.kind} {source.hash[:12]}"

    with tempfile.TemporaryDirectory(prefix="manifold-source-") as scratch:
        work = asyncio.create_task(download_and_unpack(Path(scratch) / "archive"))
        try:
            while not (await asyncio.wait([work], timeout=_LOOK_S))[0]:
                if await cancelled():
                    stop.set()
        finally:
            stop.set()
            await asyncio.wait([work])  # the thread is never left behind: it stops at the next chunk
        return work.result()
