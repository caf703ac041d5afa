"""Operations, which every workload needs: health, runs, queues, dead letters, the console, the documentation."""

from shared.platform.workload import Workload
from triggers.operations import console, docs, health, queues, runs

operations = Workload(
    name="operations",
    routes=(health.routes, runs.routes, queues.routes, console.routes, docs.routes),
)
