"""Runs a DFApp's durable functions directly, without a host around them: for tests and for measuring the engine."""

import asyncio
import inspect
import traceback
from collections.abc import Callable, Collection
from typing import Any

from azure.functions import meta
from azure.functions.durable_functions import ActivityTriggerConverter

from local.host.durable.model.ports import FunctionFailed

_TRIGGERS = ("orchestrationTrigger", "activityTrigger", "entityTrigger")


class InProcessFunctions:
    """The durable functions of an app, called as the Python worker calls them; sync ones in the loop's own thread.

    `functions` are the built functions of one app (`app.get_functions()`, which an app answers only once).
    """

    def __init__(self, functions: Collection[Any]) -> None:
        self._found: dict[str, dict[str, tuple[Callable[..., Any], str, str]]] = {one: {} for one in _TRIGGERS}
        for function in functions:
            trigger = function.get_trigger()
            if trigger is not None and trigger.type in self._found:
                name = function.get_function_name()
                self._found[trigger.type][name.lower()] = (function.get_user_function(), trigger.name, name)

    @property
    def orchestrators(self) -> Collection[str]:
        return [name for _, _, name in self._found["orchestrationTrigger"].values()]

    @property
    def activities(self) -> Collection[str]:
        return [name for _, _, name in self._found["activityTrigger"].values()]

    @property
    def entities(self) -> Collection[str]:
        return [name for _, _, name in self._found["entityTrigger"].values()]

    async def run_orchestrator(self, name: str, context: str, instance_id: str) -> str:  # noqa: ARG002 - the port's
        """One turn in the SDK. Raises FunctionFailed."""
        return await self._call("orchestrationTrigger", name, context)

    async def run_entity(self, name: str, context: str, instance_id: str) -> str:  # noqa: ARG002 - the port's
        """One batch in the SDK. Raises FunctionFailed."""
        return await self._call("entityTrigger", name, context)

    async def run_activity(self, name: str, payload: str, instance_id: str) -> str | None:  # noqa: ARG002 - the port's
        """One activity, its input and result converted as azure-functions does. Raises FunctionFailed."""
        return await self._call("activityTrigger", name, payload, ActivityTriggerConverter)

    async def _call(
        self, trigger: str, name: str, value: Any, converter: type[ActivityTriggerConverter] | None = None
    ) -> Any:
        function, parameter, _ = self._found[trigger][name.lower()]
        try:
            if converter is not None:
                value = converter.decode(meta.Datum(value, "json"), trigger_metadata=None)
            result = function(**{parameter: value})
            if inspect.isawaitable(result):
                result = await result
            else:
                await asyncio.sleep(0)
            return converter.encode(result, expected_type=None).value if converter else result
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            stack = "".join(traceback.format_tb(error.__traceback__))
            ended = not isinstance(error, Exception)
            raise FunctionFailed(type(error).__name__, str(error), stack, ends_worker=ended) from error
