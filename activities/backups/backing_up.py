"""One side effect each of taking, verifying and watching backups; every one may be repeated."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from shared.backups.blobs.manifests import read_manifest, write_verdict
from shared.backups.models import (
    BackupProgress,
    BackupRef,
    BuildIndexes,
    BuiltIndexes,
    Rejection,
    RestoredTable,
    RestorePlan,
    TableRef,
    TakeBackup,
    Verdict,
)
from shared.backups.reporting import alert_different
from shared.backups.restoring import building, loading, preparing
from shared.backups.settings import settings
from shared.backups.taking import exporting
from shared.backups.verification import verifying
from shared.backups.verification.scratch import NO_SCRATCH, drop_all, empty_scratch, scratch
from shared.platform.durable import Nothing, RetryPolicy, activity

PATIENT = RetryPolicy(attempts=3, first_delay=timedelta(seconds=30))


@activity(retry=PATIENT)
async def take_backup(task: TakeBackup) -> BackupProgress:
    """Export for one time box."""
    return await exporting.export(task)


@activity(retry=PATIENT)
async def prepare_scratch(task: BackupRef) -> RestorePlan:
    """Make the backup's schema in the scratch database, which is emptied first."""
    manifest = await read_manifest(task.id)
    await empty_scratch(task.id)
    async with scratch() as connection:
        return await preparing.prepare(connection, manifest)


@activity(retry=PATIENT)
async def load_scratch(task: TableRef) -> RestoredTable:
    """Bring the rows of one table back, for one time box."""
    manifest = await read_manifest(task.id)
    async with scratch() as connection:
        return await loading.load(connection, manifest, task.table, deadline=_box())


@activity(retry=PATIENT)
async def build_scratch(task: BuildIndexes) -> BuiltIndexes:
    """Make foreign keys, for one time box."""
    async with scratch() as connection:
        return await building.build(connection, late=task.late, keys_alone=True, deadline=_box())


@activity(retry=PATIENT)
async def verify_scratch(task: BackupRef) -> Verdict:
    """Compare for one time box; at the end, keep the verdict, and tell people of a difference."""
    manifest = await read_manifest(task.id)
    async with scratch() as connection:
        verdict = await verifying.verify(connection, manifest, deadline=_box())
    if verdict.done:
        await write_verdict(task.id, verdict)
        if verdict.differences:
            await alert_different(task.id, verdict)
    return verdict


@activity(retry=PATIENT)
async def reject_backup(task: Rejection) -> Nothing:
    """Tell people that the backup could not be restored; where that is its fault, the next one begins a chain."""
    verdict = Verdict(verdict="different", tables=0, rows=0, differences=[task.reason])
    if task.code not in NO_SCRATCH:
        await write_verdict(task.id, verdict)
    await alert_different(task.id, verdict, restored=task.code not in NO_SCRATCH)
    return Nothing()


@activity(retry=PATIENT)
async def clear_scratch(_: BackupRef) -> Nothing:
    """Drop what was restored: it is a copy of everything."""
    async with scratch() as connection:
        await drop_all(connection)
    return Nothing()


def _box() -> float:
    """When a time box that begins now ends."""
    return monotonic() + settings().backups_box_seconds
