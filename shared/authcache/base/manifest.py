"""The manifest: which segments are the base, at which LSN. Who replaces it must have seen the newest one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from shared.authcache.base.format.names import ID
from shared.authcache.log.groups import Lsn
from shared.authcache.settings import settings
from shared.platform.errors import TransientError
from shared.platform.health import Check
from shared.platform.models import LazyModel
from shared.platform.stores.blob_files import blob_details
from shared.platform.stores.blobs import read_blob, write_blob

_NAME = "manifest.json"
REBUILD_SECONDS = 10
"""After which a request may ask again whose base is being made anew."""
MOST_FOLDS = 20
"""That a manifest remembers."""


class CorruptBase(TransientError):
    """A file of the base, or its manifest, is not what was written; it is made anew."""

    code = "cache-corrupt"


class DamagedCopy(CorruptBase):
    """A copy on this machine's disk is not what was written, which says nothing of the blobs: it is fetched again.

    Attributes:
        segment: whose copy it is.
        copy: which of its copies, one after the other.
    """

    def __init__(self, message: str, segment: str, copy: int) -> None:
        super().__init__(message, retry_after=2)
        self.segment = segment
        self.copy = copy


class _Part(LazyModel):
    model_config = ConfigDict(frozen=True)


class File(_Part):
    """A file of a segment; its name is relative to the segment."""

    name: str
    size: int
    sha256: str


class TablePart(_Part):
    """What a segment holds of one table: `rows`, of which the last `dropped` say that a row is no more."""

    rows: int
    dropped: int

    def entries(self, index: str) -> int:
        """How many of them that index has: only by its id is a row found that is no more."""
        return self.rows if index == ID else self.rows - self.dropped


class Segment(_Part):
    """Files that were written together and never change: rows changed in (`after`, `lsn`]."""

    name: str
    after: Lsn
    lsn: Lsn
    tables: dict[str, TablePart]
    files: tuple[File, ...]


class Counts(_Part):
    """How many there are at the manifest's LSN."""

    users: int = 0
    shares: int = 0
    owners: int = Field(default=0, description="users who share something")
    costs: dict[str, int] = Field(
        default_factory=dict[str, int], description="users by what it takes to check their passwords"
    )


class Fold(_Part):
    """One that has been. `made_anew`: everything was written, not only what had changed; `records`: of the log."""

    lsn: Lsn
    records: int
    made_anew: bool
    at: datetime


class Manifest(_Part):
    """The base.

    Attributes:
        hash_key: of the hashes in index files, so that nobody outside can choose keys that collide.
        segments: one with everything and, before it, one with what changed since; a row that stands in both is right
            in the first.
        whole: what there was at the LSN of the segment with everything.
        folds: the last ones, the newest first.
        epoch: grows when all instances are to forget what they hold.
    """

    lsn: Lsn
    hash_key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    segments: tuple[Segment, ...]
    counts: Counts
    whole: Counts
    folds: tuple[Fold, ...] = ()
    epoch: int = 0
    folded_at: datetime

    def folds_with(self, fold: Fold) -> tuple[Fold, ...]:
        """The last folds when that one has been too."""
        return (fold, *self.folds)[:MOST_FOLDS]

    @property
    def everything(self) -> Segment:
        """The segment that all rows stand in as of its LSN."""
        return self.segments[-1]

    @property
    def changed(self) -> Segment | None:
        """The segment of what changed since; None: nothing did."""
        return self.segments[0] if len(self.segments) > 1 else None


async def read_manifest() -> tuple[Manifest, str] | None:
    """The manifest and its ETag; None if there is none.

    Raises:
        TransientError: the blobs cannot be read.
        CorruptBase: what stands there is no manifest.
    """
    blob = await read_blob(settings().authcache_container, _NAME)
    if blob is None:
        return None
    try:
        return Manifest.model_validate_json(blob.data), blob.etag
    except ValueError as error:
        raise CorruptBase(
            "The manifest of the auth cache cannot be read; it is made anew.", retry_after=REBUILD_SECONDS
        ) from error


PROBE = Check("authcache", read_manifest)


async def manifest_etag() -> str | None:
    """The ETag of what stands in the manifest's place, readable or not; None if nothing does."""
    details = await blob_details(settings().authcache_container, _NAME)
    return None if details is None else details.etag


async def write_manifest(manifest: Manifest, *, seen: str | None) -> str:
    """Replace the manifest whose ETag is `seen` (None: there is none); the new ETag.

    Raises:
        Conflict: somebody else replaced it.
    """
    data = manifest.model_dump_json().encode()
    return await write_blob(settings().authcache_container, _NAME, data, seen=seen)
