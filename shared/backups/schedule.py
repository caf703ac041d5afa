"""What the hourly timer starts: a backup, and once a day one that is verified."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.backups.blobs.manifests import list_names, read_verdict
from shared.backups.blobs.names import TIME, BackupName
from shared.backups.models import TakeAndVerify
from shared.backups.taking.chains import chain_for

VERIFIED_EVERY = timedelta(days=1)


async def backups_due(now: datetime) -> list[TakeAndVerify]:
    """The backups that the timer starts now, one of them alone: the first whose orchestration is idle."""
    due = await _verification_due(now)
    return [await backup_of(now, verify=verify) for verify in kinds(verification_due=due)]


async def backup_of(now: datetime, *, verify: bool) -> TakeAndVerify:
    """The backup that is taken now, in its chain."""
    return TakeAndVerify(id=now.strftime(TIME), chain=await chain_for(now), verify=verify)


def kinds(*, verification_due: bool) -> tuple[bool, ...]:
    """Whether the backup is verified, by preference: while a verification runs, the hour's backup does without."""
    return (True, False) if verification_due else (False,)


def recent(names: Sequence[BackupName], now: datetime) -> list[BackupName]:
    """Those of the names, the oldest first, that were taken within VERIFIED_EVERY; the newest first.

    Where one of them was verified, none has to be.
    """
    return [name for name in reversed(names) if name.taken_at > now - VERIFIED_EVERY]


async def _verification_due(now: datetime) -> bool:
    for name in recent(await list_names(), now):
        if await read_verdict(name.id) is not None:
            return False
    return True
