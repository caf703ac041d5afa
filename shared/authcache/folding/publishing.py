"""The two files that InvestFlow published, for whoever reads them still: both hold one LSN, which each names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.authcache.base.format.pyarrow import Columns, parquet
from shared.authcache.base.manifest import Manifest
from shared.authcache.folding.exporting import all_rows, base_manifest
from shared.authcache.log.groups import Lsn
from shared.authcache.settings import settings
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.errors import Conflict
from shared.platform.files import read_chunks, scratch_folder
from shared.platform.stores.blob_files import blob_details, replace_blob

LSN_KEY = "manifold_lsn"
SMALL_ROWS = 50_000
"""Files of fewer rows are published with every fold."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    table: Table[Any]
    columns: Mapping[str, str]
    """By our column the name that the file has for it, in the file's order."""


FILES = (
    _File(
        "cdc/users/users_current.parquet",
        USERS,
        {
            name: name
            for name in (
                "id", "first_name", "last_name", "email", "password_hash", "tax_rate", "mortgage_interest_rate",
                "loc_interest_rate", "created_at", "updated_at", "is_active",
            )
        },
    ),
    _File(
        "cdc/shares/user_shares_current.parquet",
        SHARES,
        {"id": "id", "owner": "user_id", "shared_email": "shared_email", "created_at": "created_at",
         "updated_at": "updated_at"},
    ),
)  # fmt: skip


async def publish_current() -> Lsn | None:
    """Publish both files as of the base's LSN, unless they are that new, or large and published a short while ago.

    Files of two LSNs, as a publication leaves them that died between the two, are published anew in any case.

    Raises:
        TransientError: the blobs cannot be reached.
        Conflict: somebody else wrote the files meanwhile.
    """
    manifest = await base_manifest()
    container = settings().cdc_cache_container_name
    published = [await blob_details(container, file.name) for file in FILES]
    if all(one is not None and one.metadata.get(LSN_KEY) == str(manifest.lsn) for one in published):
        return None
    due = settings().authcache_publish_seconds
    large = manifest.counts.users + manifest.counts.shares > SMALL_ROWS
    newest = max((one.modified for one in published if one is not None), default=None)
    whole = len({one.metadata.get(LSN_KEY) for one in published if one is not None}) == 1
    if large and whole and newest is not None and (datetime.now(UTC) - newest).total_seconds() < due:
        return None
    async with scratch_folder("manifold-publish-") as folder:
        paths = [await _written(manifest, file, folder) for file in FILES]
        for file, path, seen in zip(FILES, paths, published, strict=True):
            if seen is not None and int(seen.metadata.get(LSN_KEY, "0")) > manifest.lsn:
                raise Conflict("A later fold has published already.", code="blob-changed")
            metadata = {LSN_KEY: str(manifest.lsn)}
            await replace_blob(
                container, file.name, read_chunks(path), seen=seen.etag if seen else None, metadata=metadata
            )
    return manifest.lsn


async def _written(manifest: Manifest, file: _File, folder: Path) -> Path:
    rows = await all_rows(manifest, file.table, folder, list(file.columns))
    path = folder / Path(file.name).name
    await asyncio.to_thread(_write, path, rows, file, manifest.lsn)
    return path


def _write(path: Path, rows: Iterable[Columns], file: _File, lsn: Lsn) -> None:
    writer: Any = None
    try:
        for piece in rows:
            columns = piece.select(list(file.columns)).rename_columns(list(file.columns.values()))
            if writer is None:
                schema = columns.schema.with_metadata({LSN_KEY: str(lsn)})
                writer = parquet.ParquetWriter(path, schema, compression="zstd", compression_level=1)
            writer.write_table(columns.replace_schema_metadata({LSN_KEY: str(lsn)}))
    finally:
        if writer is not None:
            writer.close()
