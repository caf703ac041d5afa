"""Durable Functions, typed. Nothing outside this package names the durable SDK."""

from __future__ import annotations

from shared.platform.durable.client import DurableClient, Instance, InstancePage, RunState
from shared.platform.durable.entities import ENTITIES, Entity, call_entity, entity
from shared.platform.durable.failures import STEP_FAILED, UNEXPECTED, Failure
from shared.platform.durable.handles import (
    ACTIVITIES,
    ONCE,
    ORCHESTRATIONS,
    Activity,
    Context,
    Handle,
    Nothing,
    Orchestration,
    RetryPolicy,
    Steps,
    activity,
    orchestration,
)
from shared.platform.durable.hub import hub_name, task_hub
from shared.platform.durable.newest_first import Place, newest
from shared.platform.durable.races import CancelCause, race, wait_for_any_event
from shared.platform.durable.register import App, Blueprint, blueprint, new_app, new_blueprint
from shared.platform.durable.steps import (
    TOO_MANY_BOXES,
    Outcome,
    call,
    fan_out,
    fan_out_chunk,
    progress,
    repeat,
    wait_for_event,
)

__all__ = [
    "ACTIVITIES",
    "ENTITIES",
    "ONCE",
    "ORCHESTRATIONS",
    "STEP_FAILED",
    "TOO_MANY_BOXES",
    "UNEXPECTED",
    "Activity",
    "App",
    "Blueprint",
    "CancelCause",
    "Context",
    "DurableClient",
    "Entity",
    "Failure",
    "Handle",
    "Instance",
    "InstancePage",
    "Nothing",
    "Orchestration",
    "Outcome",
    "Place",
    "RetryPolicy",
    "RunState",
    "Steps",
    "activity",
    "blueprint",
    "call",
    "call_entity",
    "entity",
    "fan_out",
    "fan_out_chunk",
    "hub_name",
    "new_app",
    "new_blueprint",
    "newest",
    "orchestration",
    "progress",
    "race",
    "repeat",
    "task_hub",
    "wait_for_any_event",
    "wait_for_event",
]
