"""A fold: the log becomes the base, the base goes to Iceberg and to the published files; others' changes come in."""

from __future__ import annotations

from activities.authcache.folding import (
    append_table,
    clean_log,
    fill_cache,
    fold_log,
    look_at_table,
    publish_current,
    replace_table,
    tidy_table,
)
from shared.authcache.folding.steps import (
    BY_OPERATOR,
    BY_OTHERS,
    CleanTask,
    Folded,
    FoldRequest,
    FoldSummary,
    Synced,
    SyncTask,
    TableState,
    TableTask,
)
from shared.platform.durable import Context, Nothing, Steps, call, fan_out, orchestration, progress
from shared.platform.errors import TerminalError


@orchestration
def fold(context: Context, request: FoldRequest) -> Steps[FoldSummary]:
    """One at a time, under one instance id. While the catalog sleeps, the base goes on and Iceberg catches up later."""
    progress(context, "folding")
    folded = yield from call(context, fold_log, Nothing())
    synced = None
    reason = folded.rebuild or (BY_OPERATOR if request.rebuild else None)
    if request.sync or reason:
        progress(context, "looking at Iceberg")
        synced = yield from _sync(context, folded, reason, accept_loss=request.accept_loss)
    if folded.lsn is None:
        folded = yield from call(context, fold_log, Nothing())
    if folded.lsn is None:
        raise TerminalError(f"The base could not be made: {folded.rebuild}", code="cache-corrupt")
    lsn = folded.lsn
    states = yield from _append(context, folded.tables, lsn)
    if any(state.foreign for state in states):
        synced = yield from _sync(context, folded, BY_OTHERS)
        states = yield from _append(context, folded.tables, lsn)
    if request.tidy:
        progress(context, "tidying Iceberg")
        yield from fan_out(context, tidy_table, [TableTask(table=one, lsn=lsn) for one in folded.tables])
    progress(context, "publishing")
    [published] = yield from fan_out(context, publish_current, [Nothing()])
    kept = min((state.lsn for state in states), default=0) if len(states) == len(folded.tables) else 0
    cleaned = yield from call(context, clean_log, CleanTask(lsn=lsn, kept=kept))
    behind = {*folded.tables} - {state.table for state in states if state.lsn >= lsn}
    return FoldSummary(
        lsn=lsn,
        records=folded.records,
        behind=tuple(sorted(behind)),
        synced=synced,
        published=published.value is not None and published.value.lsn is not None,
        cleaned=cleaned.groups,
        files={state.table: state.files for state in states},
    )


def _append(context: Context, tables: tuple[str, ...], lsn: int) -> Steps[list[TableState]]:
    progress(context, "appending to Iceberg", total=len(tables), unit="tables")
    outcomes = yield from fan_out(context, append_table, [TableTask(table=one, lsn=lsn) for one in tables])
    return [one.value for one in outcomes if one.value is not None]


def _sync(context: Context, folded: Folded, reason: str | None, *, accept_loss: bool = False) -> Steps[Synced | None]:
    """Look at the tables; where others wrote, or the base is to be made anew, take it from them and rewrite them."""
    lsn = folded.lsn or 0
    looks = yield from fan_out(context, look_at_table, [TableTask(table=one, lsn=lsn) for one in folded.tables])
    if reason is None and any(one.value is None for one in looks):
        return None
    tables = [one.result() for one in looks]
    written = [state for state in tables if state.foreign]
    if reason is None and not written:
        return None
    progress(context, "filling the cache from Iceberg")
    task = SyncTask(tables=tuple(tables), reason=reason or BY_OTHERS, accept_loss=accept_loss)
    synced = yield from call(context, fill_cache, task)
    rewritten = [TableTask(table=one.table, lsn=synced.lsn, snapshot=one.snapshot) for one in written]
    yield from fan_out(context, replace_table, rewritten)
    return synced
