"""The mails about backups, and how backups are listed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.backups.blobs.manifests import list_names, read_manifest_of, read_verdict
from shared.backups.blobs.names import BackupName
from shared.backups.models import Backup
from shared.backups.settings import settings
from shared.platform.alerting.alerts import AlertKind, send_once, try_to_send
from shared.platform.errors import NotFound, TerminalError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.backups.models import Verdict

LATE_AFTER = timedelta(hours=2)
"""Since the newest backup: the promise is that no more than an hour's work is lost."""

BACKUP_LATE = AlertKind(
    "backup-late", "The newest backup is more than two hours old. See why its orchestrations fail, at /ops/runs."
)
BACKUP_DIFFERENT = AlertKind(
    "backup-different",
    "A backup was restored and is not what it says. Take another, and see what stands in its verdict.",
)
KINDS = (BACKUP_LATE, BACKUP_DIFFERENT)


async def list_backups(limit: int, before: str | None) -> list[Backup]:
    """The newest backups, or the newest before that id. A damaged one is listed with its problem."""
    listed: list[Backup] = []
    for name in reversed(await list_names()):
        if len(listed) == limit or (before is not None and name.id >= before):
            continue
        try:
            listed.append(await describe(name))
        except NotFound:  # it was deleted by its age meanwhile
            continue
        except TerminalError as error:
            listed.append(
                Backup(id=name.id, chain=name.chain, taken_at=name.taken_at, tables=0, rows=0, size=0, verified=False,
                       problem=error.message)
            )  # fmt: skip
    return listed


async def describe(name: BackupName) -> Backup:
    """One backup, by its name. Raises NotFound and TerminalError as `read_manifest`."""
    manifest = await read_manifest_of(name)
    verdict = await read_verdict(manifest.id)
    chunks = [chunk for table in manifest.tables for chunk in table.chunks]
    return Backup(
        id=manifest.id,
        chain=manifest.chain,
        taken_at=manifest.taken_at,
        tables=len(manifest.tables),
        rows=sum(chunk.rows for chunk in chunks),
        size=sum(chunk.size for chunk in chunks),
        verified=None if verdict is None else verdict.verdict == "same",
    )


async def watch_age(now: datetime) -> None:
    """Tell people when the newest backup is too old. Raises as `send_once`."""
    known = await list_names()
    if not settings().backups_hourly:
        return
    taken = known[-1].taken_at if known else await _since()
    if taken > now - LATE_AFTER:
        return
    await send_once(
        BACKUP_LATE.about(
            "backups",
            subject="[Manifold] backups: none for more than two hours",
            text=(
                f"There is no backup since {taken:%Y-%m-%d %H:%M} UTC.\n\nSee why they failed:\n"
                "    GET /ops/runs?name=back_up&order=newest\nTake one now:\n    POST /ops/backups\n"
            ),
        )
    )


async def _since() -> datetime:
    """Since when there is something to back up: the last change of the schema."""
    async with database() as connection:
        [found] = await rows(connection, "select max(applied_at) as at from public.schema_migrations")
    return found["at"]


async def alert_different(backup: str, verdict: Verdict, *, restored: bool = True) -> None:
    """A backup is not what it says, or could not be restored to see whether it is."""
    found = "was restored into the scratch database, and is not what it says" if restored else "could not be verified"
    await try_to_send(
        BACKUP_DIFFERENT.about(
            f"backups/{backup}",
            subject=f"[Manifold] backup {backup}: {'restored, it is not what it says' if restored else 'not verified'}",
            text=(
                f"The backup {backup} {found}:\n"
                + "".join(f"- {difference}\n" for difference in verdict.differences)
                + '\nTake another and verify it:\n    POST /ops/backups {"verify": true}\n'
            ),
        )
    )
