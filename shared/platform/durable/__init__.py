"""Durable Functions in typed words. Nothing outside this package names the durable SDK."""

from shared.platform.durable.client import DurableClient, Instance, InstancePage, RunState
from shared.platform.durable.handles import (
    ACTIVITIES,
    ONCE,
    ORCHESTRATIONS,
    Activity,
    Context,
    Failure,
    Orchestration,
    RetryPolicy,
    Steps,
    activity,
    orchestration,
)
from shared.platform.durable.register import Blueprint, blueprint, new_app, new_blueprint
from shared.platform.durable.steps import Outcome, call, fan_out, fan_out_chunk, progress, repeat, wait_for

__all__ = [
    "ACTIVITIES",
    "ONCE",
    "ORCHESTRATIONS",
    "Activity",
    "Blueprint",
    "Context",
    "DurableClient",
    "Failure",
    "Instance",
    "InstancePage",
    "Orchestration",
    "Outcome",
    "RetryPolicy",
    "RunState",
    "Steps",
    "activity",
    "blueprint",
    "call",
    "fan_out",
    "fan_out_chunk",
    "new_app",
    "new_blueprint",
    "orchestration",
    "progress",
    "repeat",
    "wait_for",
]
