"""Operations, which every workload needs: health, runs, queues, dead letters, the console, the documentation."""

from __future__ import annotations

from shared.operations.dead_letter_watch import DEAD_LETTERS
from shared.operations.probes import POSTGRES, SERVICE_BUS
from shared.platform.settings import PlatformSettings
from shared.platform.workload import Workload
from triggers.operations import callers, console, docs, health, queues, runs, upkeep

operations = Workload(
    name="operations",
    routes=(health.routes, runs.routes, queues.routes, callers.routes, console.routes, docs.routes),
    functions=(upkeep.timers,),
    settings=PlatformSettings,
    probes=(POSTGRES, SERVICE_BUS),
    alerts=(DEAD_LETTERS,),
)
