"""What the next fold is asked to do besides: make a missing or damaged base anew, look at Iceberg. Once for all."""

from __future__ import annotations

from shared.authcache.base.manifest import REBUILD_SECONDS, CorruptBase
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import create_blob, delete_blob
from shared.platform.stores.blobs import read_blob

_WANTED = "rebuild-wanted"
_SYNC = "sync-wanted"
_MADE = "base-made"


async def want_rebuild(reason: str) -> None:
    """Note that the base is to be made anew; the next sweep has it done."""
    await create_blob(settings().authcache_container, _WANTED, reason.encode())


async def rebuild_wanted() -> str | None:
    """Why the base is to be made anew; None if it is not."""
    blob = await read_blob(settings().authcache_container, _WANTED)
    return None if blob is None else blob.data.decode()


async def rebuilt() -> None:
    """Note that it was made anew."""
    await delete_blob(settings().authcache_container, _WANTED)


async def want_sync() -> None:
    """Note that Iceberg is to be looked at once the fold that runs has ended."""
    await create_blob(settings().authcache_container, _SYNC, b"")


async def sync_wanted() -> bool:
    """Whether it is."""
    return await read_blob(settings().authcache_container, _SYNC) is not None


async def sync_begun() -> None:
    """Note that a fold has begun that does so: whoever asks from now on asks for another."""
    await delete_blob(settings().authcache_container, _SYNC)


async def base_made() -> None:
    """Note that there is a base, or is about to be: from now on the log alone may say too little."""
    await create_blob(settings().authcache_container, _MADE, b"")


async def refuse_without_manifest() -> None:
    """Where there is no manifest, see that there never was one: then the log alone says all.

    The files of a base say nothing of that: the first one may be under way, or have died.

    Raises:
        CorruptBase: there was one, so that the log alone says too little.
    """
    if await read_blob(settings().authcache_container, _MADE) is not None:
        raise CorruptBase("The manifest of the auth cache is missing; it is made anew.", retry_after=REBUILD_SECONDS)
