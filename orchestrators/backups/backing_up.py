"""Takes a backup, and restores it into the scratch database to see that it can be."""

from __future__ import annotations

from activities.backups.backing_up import (
    build_scratch,
    clear_scratch,
    load_scratch,
    prepare_scratch,
    reject_backup,
    take_backup,
    verify_scratch,
)
from shared.backups.models import (
    BackupOutcome,
    BackupProgress,
    BackupRef,
    BuildIndexes,
    Rejection,
    TableRef,
    TakeAndVerify,
    TakeBackup,
)
from shared.platform.durable import Context, Steps, call, fan_out, orchestration, progress, repeat
from shared.platform.errors import TerminalError


@orchestration
def back_up(context: Context, task: TakeAndVerify) -> Steps[BackupOutcome]:
    """Export what changed, in time boxes; then, where it is asked for, restore all of it elsewhere and compare."""
    new_bytes = 0

    def show(answer: BackupProgress) -> None:
        nonlocal new_bytes
        new_bytes += answer.new_bytes
        progress(context, "exporting", done=answer.chunks, total=answer.total, unit="chunks")

    asked = TakeBackup(id=task.id, chain=task.chain)
    taken = yield from repeat(context, take_backup, asked, until=lambda answer: answer.done, show=show)
    verified = None
    if task.verify:
        try:
            verified = yield from _verified(context, BackupRef(id=task.id))
        except TerminalError as error:
            yield from call(context, reject_backup, Rejection(id=task.id, reason=error.message[:1_000]))
            raise
    return BackupOutcome(id=task.id, rows=taken.rows, new_bytes=new_bytes, verified=verified)


def _verified(context: Context, backup: BackupRef) -> Steps[bool]:
    progress(context, "verifying")
    plan = yield from call(context, prepare_scratch, backup)
    for late, tables in ((False, plan.early), (True, plan.late)):
        loads = [TableRef(id=backup.id, table=name) for name in tables]
        outcomes = yield from fan_out(context, load_scratch, loads)
        for outcome in outcomes:
            outcome.result()
        yield from call(context, build_scratch, BuildIndexes(id=backup.id, late=late))
    verdict = yield from call(context, verify_scratch, backup)
    yield from call(context, clear_scratch, backup)
    return verdict.verdict == "same"
