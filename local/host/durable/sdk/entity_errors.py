"""Logs what an entity's operation raised, and where.

azure-functions-durable 1.7.0 answers with the message of the exception alone: its type and the line are lost.
"""

import functools
from collections.abc import Callable

from azure.durable_functions.entity import Entity
from azure.durable_functions.models import DurableEntityContext

from local.host.core.logs import host_log

Operation = Callable[[DurableEntityContext], None]


def log_tracebacks() -> None:
    """From now on log the traceback of whatever an entity function raises."""
    make = Entity.__init__
    if hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def make_logging(self: Entity, entity_func: Operation) -> None:
        make(self, _logging(entity_func))

    Entity.__init__ = make_logging


def _logging(operate: Operation) -> Operation:
    def run(context: DurableEntityContext) -> None:
        try:
            operate(context)
        except Exception:
            name = f"@{context.entity_name}@{context.entity_key}"
            host_log.exception(
                "%s: the operation '%s' failed.", name, context.operation_name, extra={"instance_id": name}
            )
            raise

    return run
