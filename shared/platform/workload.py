"""What a workload brings into the app, and the app made of workloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df

from shared.platform.durable import (
    ACTIVITIES,
    ENTITIES,
    ORCHESTRATIONS,
    Blueprint,
    Handle,
    blueprint,
    fan_out_chunk,
    new_app,
)
from shared.platform.http import Routes, register


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload, as its package in `triggers/` declares it.

    Attributes:
        name: of its packages in `triggers`, `orchestrators`, `activities` and `shared`.
        routes: its HTTP routes.
        functions: its timers and queue triggers.
    """

    name: str
    routes: Sequence[Routes] = ()
    functions: Sequence[Blueprint] = ()

    @property
    def steps(self) -> list[Handle[Any, Any]]:
        """Its orchestrations, activities and entities: each is named once, where its packages define it."""
        every = (*ORCHESTRATIONS.values(), *ACTIVITIES.values(), *ENTITIES.values())
        return [step for step in every if step.module.split(".")[1:2] == [self.name]]


_workloads: tuple[Workload, ...] = ()


def workloads() -> tuple[Workload, ...]:
    """The workloads of the app that this process has loaded."""
    return _workloads


def app_of(*chosen: Workload) -> df.DFApp:
    """The app that the host loads, made of these workloads.

    Raises:
        ValueError: a route hides another, or two functions have one name.
    """
    global _workloads  # noqa: PLW0603 - an app is loaded once in a process, as the host does
    _workloads = chosen
    app = new_app()
    register(app, *(routes for workload in chosen for routes in workload.routes))
    app.register_functions(blueprint(fan_out_chunk))
    for workload in chosen:
        for functions in (blueprint(*workload.steps), *workload.functions):
            app.register_functions(functions)
    return app
