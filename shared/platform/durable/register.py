"""Makes handles known to the Functions host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import azure.durable_functions as df
import azure.functions as func

from shared.platform.durable.entities import Entity, entity_function
from shared.platform.durable.failures import Failure
from shared.platform.durable.handles import (
    FAILURE,
    Activity,
    Context,
    Envelope,
    Handle,
    Orchestration,
    Steps,
)
from shared.platform.errors import TerminalError

App = df.DFApp
Blueprint = df.Blueprint


def new_app() -> App:
    """The app that the host loads; blueprints are registered on it."""
    return df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def new_blueprint() -> df.Blueprint:
    """An empty blueprint. The routes check their callers themselves, so the host's own keys are not asked for."""
    return df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


def blueprint(*handles: Handle[Any, Any]) -> df.Blueprint:
    """A blueprint of these activities, orchestrations and entities, under their own names."""
    functions = new_blueprint()
    for handle in handles:
        if isinstance(handle, Activity):
            functions.activity_trigger(input_name="payload")(_activity_function(handle))
        elif isinstance(handle, Orchestration):
            functions.orchestration_trigger(context_name="context")(_orchestrator_function(handle))
        elif isinstance(handle, Entity):
            functions.entity_trigger(context_name="context")(entity_function(cast("Entity[Any, Any, Any]", handle)))
    return functions


def _activity_function(handle: Activity[Any, Any]) -> Callable[..., Any]:
    async def entry(payload: str) -> str:
        return await handle.answer(payload)

    entry.__name__ = handle.name
    return entry


def _orchestrator_function(handle: Orchestration[Any, Any]) -> Callable[..., Any]:
    def entry(context: Context) -> Steps[Any]:
        child = bool(context.parent_instance_id)
        try:
            value = yield from handle.run(context, _input(handle, context))
        except TerminalError as error:
            failure = Failure.of(error)
            if child:
                return Envelope(failure=failure).model_dump_json()
            # The host keeps a failed orchestration's error as cut text; its status keeps the code and the remedy.
            shown = context.custom_status
            known: dict[str, Any] = cast("dict[str, Any]", shown) if isinstance(shown, dict) else {}
            context.set_custom_status({**known, FAILURE: failure.model_dump()})
            raise
        return Envelope(value=value.model_dump_json()).model_dump_json() if child else value.model_dump(mode="json")

    entry.__name__ = handle.name
    return entry


def _input(handle: Orchestration[Any, Any], context: Context) -> Any:
    """The model an orchestration was started with: JSON text from this app, an object from a raw HTTP start."""
    try:
        given = context.get_input()
        return handle.takes.model_validate_json(given) if isinstance(given, str) else handle.takes.model_validate(given)
    except (ValueError, TypeError) as error:
        raise TerminalError(
            f"{handle.name} was started with something else than {handle.takes.__name__}: {str(error)[:500]}.",
            code="unreadable-task",
            remedy="Start it through its own route.",
        ) from None
