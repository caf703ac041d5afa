"""Deploys: takes a project's source to a running app."""

from __future__ import annotations

from shared.deploys.documents import store
from shared.deploys.documents.figures import STATUS
from shared.deploys.requests.queue import DEPLOYMENTS
from shared.deploys.settings import DeploySettings
from shared.platform.workload import Workload
from triggers.deploys import deployments, events, projects, queue, removals, upkeep, variables

deploys = Workload(
    name="deploys",
    routes=(deployments.routes, events.routes, projects.routes, removals.routes, variables.routes),
    functions=(queue.functions, upkeep.timers),
    queues=(DEPLOYMENTS,),
    settings=DeploySettings,
    probes=(store.PROBE,),
    sweeps=(upkeep.sweep,),
    status=(STATUS,),
)
