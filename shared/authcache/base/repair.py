"""How an instance that finds the base missing or damaged has it made anew, once however many find it."""

from __future__ import annotations

from shared.authcache.base.reading import CorruptBase
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import create_blob, delete_blob, list_blobs
from shared.platform.stores.blobs import read_blob

_WANTED = "rebuild-wanted"
RETRY_SECONDS = 10


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


async def refuse_without_manifest() -> None:
    """Where there is no manifest, see that there never was one: then the log alone says all.

    Raises:
        CorruptBase: there was one, so that the log alone says too little. The base is being made anew.
    """
    page = await list_blobs(settings().authcache_container, limit=1, prefix="base/")
    if page.blobs:
        await want_rebuild("The manifest is missing.")
        raise CorruptBase("The manifest of the auth cache is missing; it is made anew.", retry_after=RETRY_SECONDS)
