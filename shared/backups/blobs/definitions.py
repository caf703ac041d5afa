"""The file of what is defined beside tables, named for what is in it: written once for all backups of a chain."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json

from shared.backups.blobs.fetching import fetch
from shared.backups.models import StoredDefinitions
from shared.backups.settings import settings
from shared.platform.files import scratch_folder
from shared.platform.stores.blob_files import create_blob

MOST_BYTES = 1 << 28


async def keep(chain: str, statements: dict[str, list[str]]) -> StoredDefinitions:
    """Write the statements, if no backup of the chain has the same."""
    packed = gzip.compress(json.dumps(statements).encode(), mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    blob = f"files/{chain}/definitions-{digest[:16]}.json.gz"
    await create_blob(settings().backups_container, blob, packed)
    return StoredDefinitions(blob=blob, sha256=digest)


async def read(stored: StoredDefinitions | None) -> dict[str, list[str]]:
    """The statements by kind and name; nothing of a backup that has none. Raises TerminalError as `fetch`."""
    if stored is None:
        return {}
    async with scratch_folder("manifold-restore-") as folder:
        file = folder / "definitions"
        await fetch(stored.blob, stored.sha256, file, most=MOST_BYTES)
        return json.loads(gzip.decompress(await asyncio.to_thread(file.read_bytes)))
