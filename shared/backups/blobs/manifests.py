"""Where backups lie in Blob Storage: chunks and manifests by chain, and what a verification said.

    chunks/<chain>/<schema.table>/<name>.copy.gz     rows; shared by the backups of a chain
    files/<chain>/<container>/<name>                 copies of files that rows name; shared likewise
    manifests/<chain>/<id>.json                      a backup
    verdicts/<id>.json                               that it was restored, and what came of it

A chain begins with a backup that takes every row; the next ones take what changed. Nothing of one chain refers to
another, so that a lifecycle rule may move or delete whole chains by their age.
"""

from __future__ import annotations

import hashlib
import json

from pydantic import ValidationError

from shared.backups.models import FORMAT, Manifest, Verdict
from shared.backups.settings import settings
from shared.platform.errors import Conflict, NotFound, TerminalError
from shared.platform.stores.blob_files import create_blob, list_blobs
from shared.platform.stores.blobs import read_blob, write_blob

LISTED = 1_000


async def write_manifest(manifest: Manifest) -> None:
    """Keep the backup. From here on it exists; one that was kept before stays as it is."""
    body = manifest.model_dump_json()
    signed = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "manifest": body})
    await create_blob(settings().backups_container, _manifest(manifest.chain, manifest.id), signed.encode())


async def read_manifest(backup: str = "latest") -> Manifest:
    """A backup by its id, or the newest.

    Raises:
        NotFound: there is none.
        TerminalError: it is no backup of this app's, or not as it was written.
    """
    listed = await list_manifests()
    chosen = [name for name in listed if backup == "latest" or name.endswith(f"/{backup}.json")]
    if not chosen:
        raise NotFound(
            f"There is no backup {backup!r} in the container {settings().backups_container}.",
            code="unknown-backup",
            remedy="GET /ops/backups lists them.",
        )
    return await read_manifest_of(chosen[-1])


async def read_manifest_of(name: str) -> Manifest:
    """The manifest by its name, as `list_manifests` has it. Raises as `read_manifest`."""
    blob = await read_blob(settings().backups_container, name)
    if blob is None:
        raise NotFound(f"The backup {name} was deleted meanwhile.", code="unknown-backup")
    return _read(name, blob.data)


def _read(name: str, data: bytes) -> Manifest:
    try:
        signed = json.loads(data)
        body, digest = str(signed["manifest"]), signed["sha256"]
        found = json.loads(body)
    except (ValueError, KeyError, TypeError):
        raise _corrupt(name, "it cannot be read") from None
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise _corrupt(name, "its checksum is another")
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise TerminalError(
            f"{name} is no backup that this version can restore.",
            code="backup-foreign",
            remedy="Restore it with the version of the app that took it.",
        )
    try:
        return Manifest.model_validate(found)
    except ValidationError as error:
        raise _corrupt(name, f"{error.error_count()} of its fields cannot be used") from None


def _corrupt(name: str, reason: str) -> TerminalError:
    return TerminalError(
        f"The backup {name} is damaged: {reason}. Nothing was restored.",
        code="backup-corrupt",
        remedy="Restore another one: GET /ops/backups lists them.",
    )


async def list_manifests() -> list[str]:
    """The names of all manifests, the oldest first: ids and chains begin with their time."""
    names: list[str] = []
    continuation: str | None = None
    while True:
        page = await list_blobs(
            settings().backups_container, limit=LISTED, prefix="manifests/", continuation=continuation
        )
        names += [blob.name for blob in page.blobs]
        continuation = page.continuation
        if continuation is None:
            return sorted(names, key=lambda name: name.rpartition("/")[2])


async def write_verdict(backup: str, verdict: Verdict) -> None:
    """Keep what a verification said; a later one says it anew."""
    name = f"verdicts/{backup}.json"
    known = await read_blob(settings().backups_container, name)
    try:
        await write_blob(
            settings().backups_container, name, verdict.model_dump_json().encode(), seen=known.etag if known else None
        )
    except Conflict:
        return  # another verification of the same backup was as good


async def read_verdict(backup: str) -> Verdict | None:
    """What the last verification of the backup said, if there was one."""
    blob = await read_blob(settings().backups_container, f"verdicts/{backup}.json")
    return Verdict.model_validate_json(blob.data) if blob else None


def _manifest(chain: str, backup: str) -> str:
    return f"manifests/{chain}/{backup}.json"
