"""Makes the base from the Iceberg tables: the first filling, what others have written, and a base that was lost.

What the log says and the tables do not know yet stays as it is here; whatever else stands in the tables is right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.format.arrow import DROPPED, LSN, schema_of
from shared.authcache.base.format.columns import columns
from shared.authcache.base.format.pyarrow import Columns, compute, pa
from shared.authcache.base.manifest import (
    CorruptBase,
    Fold,
    Manifest,
    TablePart,
    manifest_etag,
    read_manifest,
    write_manifest,
)
from shared.authcache.base.repair import base_made, made_from_tables, rebuilt
from shared.authcache.base.uploading import upload
from shared.authcache.base.writing import TableWriter, current_rows, dropped_rows, segment_of
from shared.authcache.folding.choosing import Chosen, choose, completed, hashed, judged
from shared.authcache.folding.counting import counted_whole
from shared.authcache.folding.exporting import rows_after
from shared.authcache.folding.folding import new_hash_key
from shared.authcache.folding.steps import Difference, Synced, SyncTask
from shared.authcache.iceberg.catalog import catalog
from shared.authcache.iceberg.reading import rows_of
from shared.authcache.iceberg.tables import existing
from shared.authcache.log.cleaning import first_lsn
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import SHARES, TABLES, USERS, Table
from shared.platform.errors import TerminalError
from shared.platform.files import scratch_folder

logger = logging.getLogger(__name__)
MOST_DIFFERENCES = 50
"""That a report names; it counts them all."""


async def fill_cache(task: SyncTask) -> Synced:
    """Make a base from the snapshots of the task, and a manifest that names it.

    Raises:
        TransientError: the blobs or the catalog cannot be reached.
        TerminalError: the base is lost, and what is left of the log begins behind what the tables hold.
        Conflict: somebody else replaced the manifest meanwhile.
    """
    marks = {state.table: state.lsn for state in task.tables}
    snapshots = {state.table: int(state.snapshot) if state.snapshot else None for state in task.tables}
    async with scratch_folder("manifold-fill-") as folder:
        manifest, etag, kept = await _kept(marks, folder)
        lsn = manifest.lsn if manifest is not None else await _known_to_the_tables(marks, accept_loss=task.accept_loss)
        key = manifest.hash_key if manifest is not None else new_hash_key()
        await asyncio.to_thread((folder / "new").mkdir)
        filling = _Filling(folder / "new", key)
        await asyncio.to_thread(filling.fill, snapshots, kept)
        segment = await asyncio.to_thread(segment_of, folder / "new", 0, lsn, filling.parts)
        counts = await asyncio.to_thread(counted_whole, segment, folder / "new")
        await upload(segment, folder / "new")
    fold = Fold(lsn=lsn, records=0, made_anew=True, at=datetime.now(UTC))
    made = Manifest(
        lsn=lsn,
        hash_key=key,
        segments=(segment,),
        counts=counts,
        whole=counts,
        epoch=manifest.epoch if manifest is not None else 0,
        folds=manifest.folds_with(fold) if manifest is not None else (fold,),
        folded_at=fold.at,
    )
    if manifest is None:
        await made_from_tables()
    await write_manifest(made, seen=etag)
    await base_made()
    await rebuilt()
    if filling.differences:
        logger.warning("Rows of Iceberg tables were not taken.", extra={"rows": filling.differences})
    return Synced(
        lsn=lsn,
        users=counts.users,
        shares=counts.shares,
        differences=tuple(filling.named),
        differences_count=filling.differences,
    )


async def _known_to_the_tables(marks: Mapping[str, Lsn], *, accept_loss: bool) -> Lsn:
    """Up to where the Iceberg tables hold what the log said, which goes on from there."""
    mark, before_log = min(marks.values(), default=0), await first_lsn() - 1
    if mark < before_log and not accept_loss:
        raise TerminalError(
            f"The base is lost. The Iceberg tables hold the log up to {mark}, and what is left of it begins at"
            f" {before_log + 1}: what lies between would be lost.",
            code="cache-lost",
            remedy="Bring back an earlier version of manifest.json, or the catalog; or accept the loss by"
            " POST /api/v1/health/cache/sync?rebuild=true&accept_loss=true.",
        )
    return max(mark, before_log)


async def _kept(marks: Mapping[str, Lsn], folder: Path) -> tuple[Manifest | None, str | None, dict[str, Columns]]:
    """The base as far as it is readable, the manifest's ETag, and what of it the Iceberg tables do not know."""
    etag = await manifest_etag()
    try:
        current = await read_manifest()
        if current is None:
            return None, None, {}
        manifest, etag = current
        kept: dict[str, Columns] = {}
        for name, table in TABLES.items():
            kept[name] = await rows_after(manifest, table, marks.get(name, 0), folder)
    except CorruptBase as error:
        logger.warning("The base cannot be read, and is made anew from the Iceberg tables alone: %s", error)
        return None, etag, {}
    return manifest, etag, kept


class _Filling:
    """Writes the segment, table by table: users first, since a share needs its owner."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key
        self.parts: dict[str, TablePart] = {}
        self.named: list[Difference] = []
        self.differences = 0

    def fill(self, snapshots: Mapping[str, int | None], kept: Mapping[str, Columns]) -> None:
        """All tables, from these snapshots and what is kept over them."""
        users: NDArray[np.int64] = np.empty(0, np.int64)
        for name, table in TABLES.items():
            own = kept.get(name, schema_of(table).empty_table())
            owners = users if name == SHARES.name else None
            choice = self._table(table, snapshots.get(name), own, owners)
            if name == USERS.name:
                users = np.concatenate([choice.ids[choice.mask], hashed(current_rows(own).column("id"))])

    def _table(self, table: Table[Any], snapshot: int | None, own: Columns, owners: NDArray[np.int64] | None) -> Chosen:
        writer = TableWriter(self._folder, table, self._key)
        iceberg = existing(catalog(), table) if snapshot is not None else None
        names = [*judged(table), LSN, DROPPED]
        choice = choose(table, rows_of(iceberg, table, snapshot, names) if iceberg else (), own, owners)
        if iceberg is not None:
            every = [*(column.name for column in columns(table)), LSN, DROPPED]
            self._copy(writer, rows_of(iceberg, table, snapshot, every), choice)
        writer.add(current_rows(own))
        writer.drop(dropped_rows(own))
        self.parts[table.name] = writer.finish()
        return choice

    def _copy(self, writer: TableWriter, pieces: Iterator[Columns], choice: Chosen) -> None:
        first = 0
        for rows in pieces:
            last = first + rows.num_rows
            for place, reason in choice.differences.items():
                if first <= place < last:
                    self._differs(writer.table, str(rows.column("id")[place - first].as_py()), reason)
            taken = completed(writer.table, rows.filter(pa.array(choice.mask[first:last])))
            lsn = compute.fill_null(taken.column(LSN), 0)
            writer.add(taken.set_column(taken.column_names.index(LSN), LSN, lsn))
            first = last

    def _differs(self, table: Table[Any], row_id: str, reason: str) -> None:
        self.differences += 1
        if len(self.named) < MOST_DIFFERENCES:
            self.named.append(Difference(table=table.name, id=row_id, reason=reason))
