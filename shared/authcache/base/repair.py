"""What the next fold is asked to do besides: make a missing or damaged base anew, look at Iceberg. Once for all."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from shared.authcache.base.manifest import REBUILD_SECONDS, CorruptBase, read_manifest
from shared.authcache.settings import settings
from shared.platform.errors import Conflict
from shared.platform.stores.blob_files import create_blob, delete_blob, list_blobs
from shared.platform.stores.blobs import read_blob, write_blob

ASKED, MISSING, UNREADABLE = "asked", "missing", "unreadable"
_WANTED = "rebuild-wanted"
_SYNC = "sync-wanted"
_MADE = "base-made"


async def want_rebuild(reason: str, state: str = ASKED) -> None:
    """Note that the base is to be made anew; the next sweep has it done.

    `state` is what stood in the manifest's place: its ETag, MISSING or UNREADABLE. The note counts while that is so,
    and replaces one of what was found before; that of an operator always counts, and stays.
    """
    container = settings().authcache_container
    noted = await read_blob(container, _WANTED)
    if noted is not None and noted.data.decode().partition("\n")[0] in (ASKED, state):
        return
    with suppress(Conflict):  # somebody else has just noted what they found
        await write_blob(container, _WANTED, f"{state}\n{reason}".encode(), seen=noted.etag if noted else None)


async def rebuild_wanted() -> str | None:
    """Why the base is to be made anew; None if it is not, or has been since whoever noted it looked."""
    container = settings().authcache_container
    blob = await read_blob(container, _WANTED)
    if blob is None:
        return None
    state, _, reason = blob.data.decode().partition("\n")
    if state not in (ASKED, await _state()):
        await delete_blob(container, _WANTED, seen=blob.etag)
        return None
    return reason


async def _state() -> str:
    try:
        manifest = await read_manifest()
    except CorruptBase:
        return UNREADABLE
    return MISSING if manifest is None else manifest[1]


async def rebuilt() -> None:
    """Note that it was made anew. What is noted of the new one stays."""
    container = settings().authcache_container
    blob = await read_blob(container, _WANTED)
    if blob is not None and blob.data.decode().partition("\n")[0] != await _state():
        await delete_blob(container, _WANTED, seen=blob.etag)


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
    """Note that there is a base: from now on the log alone may say too little."""
    await create_blob(settings().authcache_container, _MADE, b"")


async def made_from_tables() -> None:
    """Note that the base is made anew from the tables alone: what they do not hold of what was before may be lost."""
    container = settings().authcache_container
    noted = await read_blob(container, _MADE)
    if noted is not None:
        await write_blob(container, _MADE, b"", seen=noted.etag)


async def rows_known_since() -> datetime | None:
    """From when on a row that is not there was never there, or was deleted; None: there is no base yet."""
    noted = await list_blobs(settings().authcache_container, limit=1, prefix=_MADE)
    return noted.blobs[0].modified if noted.blobs else None


async def refuse_without_manifest() -> None:
    """Where there is no manifest, see that there never was one: then the log alone says all.

    The files of a base say nothing of that: the first one may be under way, or have died.

    Raises:
        CorruptBase: there was one, so that the log alone says too little.
    """
    if await read_blob(settings().authcache_container, _MADE) is not None:
        raise CorruptBase("The manifest of the auth cache is missing; it is made anew.", retry_after=REBUILD_SECONDS)
