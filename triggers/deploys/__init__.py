"""Deploys: takes a project's source to a running app."""

from shared.platform.workload import Workload
from triggers.deploys import deployments, queue, upkeep

deploys = Workload(
    name="deploys",
    routes=(deployments.routes,),
    functions=(queue.functions, upkeep.timers),
)
