"""Backups of the database: taken every hour, restored every day to see that they can be."""

from __future__ import annotations

from shared.backups import reporting
from shared.backups.settings import BackupSettings
from shared.platform.workload import Workload
from triggers.backups import taking

backups = Workload(
    name="backups",
    routes=(taking.routes,),
    functions=(taking.timers,),
    settings=BackupSettings,
    alerts=reporting.KINDS,
)
