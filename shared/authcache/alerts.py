"""The mails of the auth cache to operators: what the last fold ended in, where a person is needed."""

from __future__ import annotations

from shared.authcache.folding.steps import FoldSummary
from shared.platform.alerting.alerts import Alert, AlertKind, try_to_send
from shared.platform.durable import Instance, RunState

SUBJECT = "[Manifold] authcache: "
MOST_SHOWN = 20
LONGEST_CAUSE = 1000

FOLD_FAILED = AlertKind(
    "fold-failed",
    "The log cannot be folded into the base, and grows. Mend the cause it names; the next minute tries again.",
)
ICEBERG_BEHIND = AlertKind(
    "iceberg-behind",
    "The Iceberg tables lack what the log has, which is kept for them. See whether the catalog and its storage answer.",
)
ROWS_REFUSED = AlertKind(
    "iceberg-rows-refused",
    "Rows that others wrote to the Iceberg tables cannot be used, and are left out. Mend them in the tables.",
)
KINDS = (FOLD_FAILED, ICEBERG_BEHIND, ROWS_REFUSED)


async def send_alerts(last: Instance) -> None:
    """Send operators what they have to know of a fold that has ended; each once a day."""
    for alert in alerts_of(last):
        await try_to_send(alert)


def alerts_of(last: Instance) -> list[Alert]:
    """What a person has to do after this fold."""
    if last.state is RunState.FAILED:
        return [_failed(last)]
    if last.state is not RunState.COMPLETED:
        return []
    summary = FoldSummary.model_validate(last.output)
    alerts: list[Alert] = []
    if summary.behind:
        alerts.append(_behind(summary))
    if summary.synced is not None and summary.synced.differences_count:
        alerts.append(_refused(summary))
    return alerts


def _failed(last: Instance) -> Alert:
    failure = last.failure
    cause = f"{failure.message} {failure.remedy or ''}".strip() if failure else str(last.output)[:LONGEST_CAUSE]
    return FOLD_FAILED.about(
        "authcache",
        subject=f"{SUBJECT}the log cannot be folded",
        text=(
            f"The last fold failed:\n    {cause}\n\nAccounts go on; the log grows until a fold succeeds, which is tried"
            " every minute.\n\nSee its steps, and have a damaged base made anew from the Iceberg tables:\n"
            f"    GET /ops/runs/{last.instance_id}\n    POST /api/v1/health/cache/sync?rebuild=true\n"
        ),
    )


def _behind(summary: FoldSummary) -> Alert:
    return ICEBERG_BEHIND.about(
        "authcache",
        subject=f"{SUBJECT}{len(summary.behind)} Iceberg tables are behind the log",
        text=(
            f"The last fold could not append to {', '.join(summary.behind)}. Accounts go on, the log keeps what"
            " is missing there, and the next fold tries again.\n\nSee whether the catalog of AUTHCACHE_CATALOG_URI and"
            " the storage of its warehouse answer.\n"
        ),
    )


def _refused(summary: FoldSummary) -> Alert:
    assert summary.synced is not None, "the caller has looked"
    rows = "".join(f"    {one.table} {one.id}: {one.reason}\n" for one in summary.synced.differences[:MOST_SHOWN])
    return ROWS_REFUSED.about(
        "authcache",
        subject=f"{SUBJECT}{summary.synced.differences_count} rows of Iceberg tables cannot be used",
        text=f"Others have written rows that are left out or taken otherwise than they stand there:\n{rows}",
    )
