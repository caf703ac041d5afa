"""Has every instance forget what it holds: each finds a new epoch in the manifest, and brings the base here anew."""

from __future__ import annotations

from shared.authcache.base.manifest import read_manifest, write_manifest
from shared.platform.errors import Conflict, TransientError

_TRIES = 5


async def invalidate() -> int:
    """Begin a new epoch; its number. Where there is no base yet there is nothing to forget, and it is 0.

    Raises:
        TransientError: the blobs cannot be reached, or others go on replacing the manifest.
    """
    for _ in range(_TRIES):
        current = await read_manifest()
        if current is None:
            return 0
        manifest, etag = current
        after = manifest.model_copy(update={"epoch": manifest.epoch + 1})
        try:
            await write_manifest(after, seen=etag)
        except Conflict:
            continue
        return after.epoch
    raise TransientError("The manifest is being replaced again and again.", code="manifest-busy")
