"""A version's files in Blob Storage: arrays without pickles, and what is served. None is ever written twice."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from shared.papers.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.stores.blob_files import create_blob, delete_blob, list_blobs
from shared.platform.stores.blobs import read_blob

WORK = "work"
"""Folder of what a version is made from, and needs no more once it is seen."""

MAKE_ANOTHER = "Start another version of the map: POST /api/papers/map/versions."
"""The remedy where a version cannot be used."""


def name_of(version: int, name: str) -> str:
    """The blob of a version's file."""
    return f"maps/{version}/{name}"


def named(name: str, ending: str, data: bytes) -> str:
    """The file's name with the beginning of its checksum, so that two deliveries of a step never mix their files."""
    return f"{name}-{checksum(data)[:16]}.{ending}"


def checksum(data: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


async def write(version: int, name: str, data: bytes) -> None:
    """Write the file; the first of several deliveries counts."""
    await create_blob(settings().papers_container, name_of(version, name), data)


async def read(version: int, name: str, expected: str | None = None) -> bytes:
    """The file's bytes.

    Raises:
        TerminalError: there is none, or its checksum is not the expected one.
    """
    blob = await read_blob(settings().papers_container, name_of(version, name))
    if blob is None:
        raise TerminalError(f"The map {version} has no file {name}.", code="map-file-missing", remedy=MAKE_ANOTHER)
    if expected is not None and checksum(blob.data) != expected:
        raise TerminalError(
            f"The file {name} of the map {version} is damaged.", code="map-file-damaged", remedy=MAKE_ANOTHER
        )
    return blob.data


def packed(**arrays: Any) -> bytes:
    """Arrays as one file."""
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, Any]:
    """The arrays of a file that `packed` made; objects that somebody put into it are refused."""
    import numpy as np  # noqa: PLC0415 - as above

    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


async def delete(version: int, folder: str = "") -> None:
    """Delete the files of a version, or those of one folder of it."""
    container = settings().papers_container
    while (page := await list_blobs(container, limit=1000, prefix=name_of(version, folder))).blobs:
        for blob in page.blobs:
            await delete_blob(container, blob.name)
