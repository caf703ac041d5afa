"""The app's durable functions, as the durable extension runs them."""

import inspect
from collections.abc import Collection
from typing import Any, cast

from azure.functions import meta

from local.host.core.functions import ACTIVITY, DURABLE_CLIENT, ENTITY, ORCHESTRATION, Function, FunctionTable
from local.host.core.logs import host_log
from local.host.durable.model.ports import FunctionDisabled, FunctionFailed
from local.host.worker.calls import Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import FunctionRaised, FunctionTimedOut
from local.host.worker.messages import json_parameters

# The property of the trigger that may rename the function for the extension.
_ALIASES = {ORCHESTRATION: "orchestration", ACTIVITY: "activity", ENTITY: "entityName"}
_REASON = "(null)"


class DurableFunctionsOfApp:
    """The app's orchestrators, activities and entities, as the extension runs them."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._functions: dict[str, dict[str, tuple[str, Function]]] = {}

    def load(self, table: FunctionTable) -> None:
        """Take the durable functions of a table."""
        self._functions = {
            trigger: {
                name.lower(): (name, one)
                for one in table.functions.values()
                # The extension knows the disabled ones, too, from the indexing.
                if one.trigger.type == trigger
                for name in [one.trigger.text(_ALIASES[trigger]) or one.name]
            }
            for trigger in _ALIASES
        }
        for trigger in (ORCHESTRATION, ENTITY):
            for one in table.of_type(trigger):
                _check(one)

    @property
    def orchestrators(self) -> Collection[str]:
        """Names as declared."""
        return self._names(ORCHESTRATION)

    @property
    def activities(self) -> Collection[str]:
        """Names as declared."""
        return self._names(ACTIVITY)

    @property
    def entities(self) -> Collection[str]:
        """Names as declared."""
        return self._names(ENTITY)

    async def run_orchestrator(self, name: str, context: str, instance_id: str) -> str:
        """One turn. Raises FunctionFailed, also for a run that took too long, FunctionDisabled or HostStopping."""
        return await self._run(ORCHESTRATION, name, meta.Datum(context, "json"), instance_id) or ""

    async def run_activity(self, name: str, payload: str, instance_id: str) -> str | None:
        """One activity. Raises FunctionFailed, also for a run that took too long, FunctionDisabled or HostStopping."""
        return await self._run(ACTIVITY, name, meta.Datum(payload, "json"), instance_id)

    async def run_entity(self, name: str, context: str, instance_id: str) -> str:
        """One batch. Raises FunctionFailed, also for a run that took too long, FunctionDisabled or HostStopping."""
        return await self._run(ENTITY, name, meta.Datum(context, "json"), instance_id) or ""

    def _names(self, trigger: str) -> Collection[str]:
        return [name for name, _ in self._functions.get(trigger, {}).values()]

    async def _run(self, trigger: str, name: str, value: meta.Datum, instance_id: str) -> str | None:
        found = self._functions.get(trigger, {}).get(name.lower())
        if found is None:
            raise FunctionFailed("FunctionNotFound", f"The function '{name}' doesn't exist.", "")
        if found[1].disabled:
            raise FunctionDisabled(name)
        try:
            data = _binding_data(found[1], value, instance_id)
            call = Call(reason=_REASON, value=value, data=data, instance_id=instance_id)
            result = await self._dispatcher.run(found[1], call)
        except FunctionRaised as error:
            ended = not isinstance(error.error, Exception)
            raise FunctionFailed(type(error.error).__name__, error.text, error.stack, ends_worker=ended) from error
        except FunctionTimedOut as error:
            raise FunctionFailed("FunctionTimeoutException", str(error), "") from error
        return cast("str | None", result.returned.value) if result.returned is not None else None


def _binding_data(function: Function, value: meta.Datum, instance_id: str) -> dict[str, Any]:
    """What the other bindings of an activity may name: its instance, its input, and the members of that."""
    if function.trigger.type != ACTIVITY or len(function.bindings) == 1:
        return {}
    text = str(value.value)
    return {"instanceId": instance_id, "data": text, function.trigger.name: text, **json_parameters(text)}


def _check(function: Function) -> None:
    """The SDK calls orchestrators and entities as plain functions, and says nothing useful of others."""
    code = getattr(function.code, "orchestrator_function", None) or getattr(function.code, "entity_function", None)
    if inspect.iscoroutinefunction(code) or inspect.isasyncgenfunction(code):
        host_log.warning(
            "Function '%s' is an 'async def': the SDK never awaits an orchestrator or an entity, so it fails or does "
            "nothing, here as in Azure. Write 'def', with 'yield' where an orchestrator waits.",
            function.name,
        )


def needs_extension(table: FunctionTable) -> bool:
    """Whether any function of the app is durable or holds a client."""
    durable = {*_ALIASES, DURABLE_CLIENT}
    return any(binding.type in durable for one in table.functions.values() for binding in one.bindings)
