"""Durable Functions in typed words. Nothing outside this package names the durable SDK."""

from shared.platform.durable.client import DurableClient, Instance, InstancePage, RunState
from shared.platform.durable.entities import ENTITIES, Entity, ask, entity
from shared.platform.durable.handles import (
    ACTIVITIES,
    ONCE,
    ORCHESTRATIONS,
    Activity,
    Context,
    Failure,
    Handle,
    Nothing,
    Orchestration,
    RetryPolicy,
    Steps,
    activity,
    orchestration,
)
from shared.platform.durable.races import Interruption, race, wait_for_any
from shared.platform.durable.register import Blueprint, blueprint, new_app, new_blueprint
from shared.platform.durable.steps import Outcome, call, fan_out, fan_out_chunk, progress, repeat, wait_for

__all__ = [
    "ACTIVITIES",
    "ENTITIES",
    "ONCE",
    "ORCHESTRATIONS",
    "Activity",
    "Blueprint",
    "Context",
    "DurableClient",
    "Entity",
    "Failure",
    "Handle",
    "Instance",
    "InstancePage",
    "Interruption",
    "Nothing",
    "Orchestration",
    "Outcome",
    "RetryPolicy",
    "RunState",
    "Steps",
    "activity",
    "ask",
    "blueprint",
    "call",
    "entity",
    "fan_out",
    "fan_out_chunk",
    "new_app",
    "new_blueprint",
    "orchestration",
    "progress",
    "race",
    "repeat",
    "wait_for",
    "wait_for_any",
]
