"""Forgets snapshots of the Iceberg tables that are past their time, and deletes the files that only they named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pyiceberg.io import FileIO
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot

from shared.authcache.iceberg.catalog import answering, catalog
from shared.authcache.iceberg.tables import existing
from shared.authcache.settings import settings
from shared.authcache.tables import Table


def expire(table: Table[Any]) -> int:
    """Forget the snapshots that are older than AUTHCACHE_SNAPSHOT_HOURS; how many. Raises TransientError."""
    iceberg = existing(catalog(), table)
    if iceberg is None:
        return 0
    before = datetime.now(UTC) - timedelta(hours=settings().authcache_snapshot_hours)
    referenced = {ref.snapshot_id for ref in iceberg.metadata.refs.values()}
    old = [
        one
        for one in iceberg.snapshots()
        if one.snapshot_id not in referenced and one.timestamp_ms < before.timestamp() * 1000
    ]
    if not old:
        return 0
    with answering():
        forgotten = _files_of(iceberg, old)
        iceberg.maintenance.expire_snapshots().by_ids([one.snapshot_id for one in old]).commit()
        # Deleted after the commit: who comes between finds files that nothing names, not names without files.
        iceberg.refresh()
        for path in forgotten - _files_of(iceberg, iceberg.snapshots()):
            _delete(iceberg.io, path)
    return len(old)


def _files_of(iceberg: IcebergTable, snapshots: list[Snapshot]) -> set[str]:
    files: set[str] = set()
    seen: set[str] = set()
    for snapshot in snapshots:
        files.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(iceberg.io):
            files.add(manifest.manifest_path)
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(iceberg.io, discard_deleted=True)
                files |= {entry.data_file.file_path for entry in entries}
    return files


def _delete(io: FileIO, path: str) -> None:
    try:
        io.delete(path)
    except FileNotFoundError:
        return
