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
from shared.platform.durable import (
    TOO_MANY_BOXES,
    Context,
    Steps,
    call,
    fan_out,
    orchestration,
    progress,
    repeat,
)
from shared.platform.errors import TerminalError

MOST_BOXES = 200


@orchestration
def back_up(context: Context, task: TakeAndVerify) -> Steps[BackupOutcome]:
    """Export what changed, in time boxes; then, where it is asked for, restore all of it elsewhere and compare."""
    new_bytes = 0

    def show(answer: BackupProgress) -> None:
        nonlocal new_bytes
        new_bytes += answer.new_bytes
        progress(context, "exporting", done=answer.chunks, total=answer.total, unit="chunks")

    request = TakeBackup(id=task.id, chain=task.chain)
    taken = yield from repeat(context, take_backup, request, until=lambda answer: answer.done, show=show)
    verified = None
    if task.verify:
        try:
            verified = yield from _verified(context, BackupRef(id=task.id))
        except TerminalError as error:
            refused = Rejection(id=task.id, reason=error.message[:1_000], code=error.code)
            yield from call(context, reject_backup, refused)
            raise
    return BackupOutcome(id=task.id, rows=taken.rows, new_bytes=new_bytes, verified=verified)


def _verified(context: Context, backup: BackupRef) -> Steps[bool]:
    progress(context, "verifying")
    plan = yield from call(context, prepare_scratch, backup)
    for late, tables in ((False, plan.early), (True, plan.late)):
        yield from _loaded(context, [TableRef(id=backup.id, table=name) for name in tables])
        keys = BuildIndexes(id=backup.id, late=late)
        yield from repeat(context, build_scratch, keys, until=lambda built: built.done)
    verdict = yield from repeat(context, verify_scratch, backup, until=lambda verdict: verdict.done, boxes=MOST_BOXES)
    yield from call(context, clear_scratch, backup)
    return verdict.verdict == "same"


def _loaded(context: Context, tables: list[TableRef]) -> Steps[None]:
    """All at once, in time boxes: those that were not done go on in the next."""
    for _ in range(MOST_BOXES):
        outcomes = yield from fan_out(context, load_scratch, tables)
        tables = [outcome.task for outcome in outcomes if not outcome.result().done]
        if not tables:
            return
    raise TerminalError(
        f"{tables[0].table} was not restored after {MOST_BOXES} time boxes.",
        code=TOO_MANY_BOXES,
        remedy="Give each time box more seconds: BACKUPS_BOX_SECONDS.",
    )
