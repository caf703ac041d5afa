"""The seam between the durable backend and the worker that runs the app's functions."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


class FunctionFailed(Exception):
    """User code raised. The message is the exception's own text, the stack the worker's traceback text.

    `ends_worker` marks what is no Exception (SystemExit, KeyboardInterrupt): in Azure the worker's process ends by it.
    """

    def __init__(self, type_name: str, message: str, stack: str, *, ends_worker: bool = False) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name = type_name
        self.message = message
        self.stack = stack
        self.ends_worker = ends_worker


class FunctionDisabled(Exception):
    """The function is known and switched off: an orchestration fails by it, and what else calls it waits."""


class DurableFunctions(Protocol):
    """What the hub needs from the worker. Names are as declared; look-ups ignore case."""

    @property
    def orchestrators(self) -> Collection[str]: ...

    @property
    def activities(self) -> Collection[str]: ...

    @property
    def entities(self) -> Collection[str]: ...

    async def run_orchestrator(self, name: str, context: str, instance_id: str) -> str:
        """Give the orchestrator its context (JSON) and return the SDK's answer (JSON).

        Raises FunctionFailed, FunctionDisabled.
        """
        ...

    async def run_activity(self, name: str, payload: str, instance_id: str) -> str | None:
        """Give the activity its input (JSON text) and return its result (JSON text).

        Raises FunctionFailed, FunctionDisabled.
        """
        ...

    async def run_entity(self, name: str, context: str, instance_id: str) -> str:
        """Give the entity its batch (JSON) and return the SDK's answer (JSON).

        Raises FunctionFailed, FunctionDisabled.
        """
        ...


@dataclass(frozen=True)
class Resumed:
    """What a start picked up from the task hub."""

    orchestrations: int
    activities: int
    timers: int
    entities: int
