"""A file of a backup is fetched, and refused where it is not as it was written."""

from __future__ import annotations

from pathlib import Path

from shared.backups.settings import settings
from shared.platform.errors import InvalidInput, NotFound, TerminalError
from shared.platform.stores.blob_files import download_blob
from shared.platform.stores.blobs import BLOB_ARCHIVED


async def fetch(blob: str, sha256: str, path: Path, *, most: int) -> None:
    """Copy a file of at most `most` bytes to the path.

    Raises:
        TerminalError: it is missing or not what its backup says (`backup-corrupt`), or in the archive.
    """
    try:
        digest = await download_blob(settings().backups_container, blob, path, most=most, check=lambda: None)
    except NotFound as error:
        raise corrupt(blob, "it is missing") from error
    except InvalidInput as error:
        raise corrupt(blob, "it is larger than any of a backup") from error
    except TerminalError as error:
        if error.code != BLOB_ARCHIVED:
            raise
        remedy = (
            "`make restore BACKUP=<id> REHYDRATE=yes` has all that the backup needs brought back, in up to 15 hours."
        )
        raise TerminalError(error.message, code=BLOB_ARCHIVED, remedy=remedy) from error
    if digest != sha256:
        raise corrupt(blob, "its checksum is another")


def corrupt(blob: str, how: str) -> TerminalError:
    """The refusal of a backup of which a file is damaged."""
    return TerminalError(
        f"{blob} is not what its backup says: {how}.",
        code="backup-corrupt",
        remedy="Restore another backup, of another chain: GET /ops/backups lists them.",
    )
