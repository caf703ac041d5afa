"""What a workload brings into the app, and the app made of workloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from shared.platform.alerting.alerts import AlertKind
from shared.platform.durable import (
    ACTIVITIES,
    ENTITIES,
    ORCHESTRATIONS,
    App,
    Blueprint,
    Handle,
    blueprint,
    fan_out_chunk,
    new_app,
    task_hub,
)
from shared.platform.health import Check, StatusField
from shared.platform.http import Routes, register
from shared.platform.messaging.servicebus import use_queues
from shared.platform.settings import Settings
from shared.platform.sweeps import Sweep
from shared.platform.workload_modules import workload_modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload, as its package in `triggers/` declares it.

    Attributes:
        name: of its packages in `triggers`, `orchestrators`, `activities` and `shared`.
        routes: its HTTP routes.
        functions: its timers and queue triggers.
        queues: the Service Bus queues that it reads.
        settings: its group of settings.
        probes: what it depends on beyond the platform.
        alerts: the kinds of mail that it sends to people.
        sweeps: what it mends by itself, every minute while something is under way.
        status: what it adds to /status.
    """

    name: str
    routes: Sequence[Routes] = ()
    functions: Sequence[Blueprint] = ()
    queues: Sequence[str] = ()
    settings: type[Settings] | None = None
    probes: Sequence[Check] = ()
    alerts: Sequence[AlertKind] = ()
    sweeps: Sequence[Sweep] = ()
    status: Sequence[StatusField] = ()

    @property
    def steps(self) -> list[Handle[Any, Any]]:
        """Its orchestrations, activities and entities: each is named once, where its packages define it."""
        every = (*ORCHESTRATIONS.values(), *ACTIVITIES.values(), *ENTITIES.values())
        return [step for step in every if step.module.split(".")[1:2] == [self.name]]


def workloads() -> tuple[Workload, ...]:
    """The workloads of the app, loaded now where no function of theirs was called yet."""
    return tuple(_declared_in(module) for module in workload_modules())


def _declared_in(module: str) -> Workload:
    """What the module declares: a workload under the module's own name."""
    return getattr(import_module(module), module.rpartition(".")[2])


def loaded_app(modules: Sequence[str]) -> App:
    """All functions of the workloads that these modules declare, and those of the platform.

    Raises:
        ValueError: a route hides another, or two functions have one name.
    """
    use_queues(lambda: [queue for workload in workloads() for queue in workload.queues])
    chosen = [_declared_in(module) for module in modules]
    app = new_app()
    register(app, *(routes for workload in chosen for routes in workload.routes))
    app.register_functions(blueprint(fan_out_chunk, task_hub))
    for workload in chosen:
        for functions in (blueprint(*workload.steps), *workload.functions):
            app.register_functions(functions)
    return app
