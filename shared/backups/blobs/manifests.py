"""Where backups lie in Blob Storage: chunks and manifests by chain, and what a verification said.

    chunks/<chain>/<schema.table>/<name>.copy.gz     rows; shared by the backups of a chain
    files/<chain>/<container>/<name>                 copies of files that rows name; shared likewise
    files/<chain>/definitions-<name>.json.gz         what is defined beside tables; shared likewise
    manifests/<chain>/<id>.json                      a backup
    verdicts/<id>.json                               that it was restored, and what came of it

A chain begins with a backup that takes every row; the next ones take what changed. Nothing of one chain refers to
another, so that a lifecycle rule may move or delete whole chains by their age.
"""

from __future__ import annotations

import hashlib
import json
import logging

from pydantic import ValidationError

from shared.backups.blobs.names import MANIFESTS, BackupName
from shared.backups.models import FORMAT, Manifest, Verdict
from shared.backups.settings import settings
from shared.platform.errors import Conflict, NotFound, TerminalError
from shared.platform.stores.blob_files import create_blob, each_blob
from shared.platform.stores.blobs import read_blob, write_blob

logger = logging.getLogger(__name__)


async def write_manifest(manifest: Manifest) -> None:
    """Keep the backup. From here on it exists; one that was kept before stays as it is."""
    body = manifest.model_dump_json()
    signed = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "manifest": body})
    await create_blob(settings().backups_container, BackupName(manifest.id, manifest.chain).manifest, signed.encode())


async def read_manifest(backup: str = "latest") -> Manifest:
    """A backup by its id, or the newest.

    Raises:
        NotFound: there is none.
        TerminalError: it is no backup of this app's, or not as it was written.
    """
    chosen = [name for name in await list_names() if backup in ("latest", name.id)]
    if not chosen:
        raise NotFound(
            f"There is no backup {backup!r} in the container {settings().backups_container}.",
            code="unknown-backup",
            remedy="GET /ops/backups lists them.",
        )
    return await read_manifest_of(chosen[-1])


async def read_manifest_of(name: BackupName) -> Manifest:
    """The backup of that name. Raises as `read_manifest`."""
    blob = await read_blob(settings().backups_container, name.manifest)
    if blob is None:
        raise NotFound(f"The backup {name.id} was deleted meanwhile.", code="unknown-backup")
    found = _read(name.manifest, blob.data)
    if (found.id, found.chain) != name:
        raise _corrupt(name.manifest, "it is that of another backup")
    return found


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


async def list_names() -> list[BackupName]:
    """The names of all backups, the oldest first. Blobs beside them that are none are passed over."""
    blobs = each_blob(settings().backups_container, MANIFESTS)
    return sorted([name async for blob in blobs if (name := BackupName.of_blob(blob.name))])


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
    """What the last verification of the backup said; None: there was none, or what it said cannot be read."""
    blob = await read_blob(settings().backups_container, f"verdicts/{backup}.json")
    try:
        return Verdict.model_validate_json(blob.data) if blob else None
    except ValidationError:
        logger.warning("A verdict cannot be read: the backup counts as not verified.", extra={"backup": backup})
        return None
