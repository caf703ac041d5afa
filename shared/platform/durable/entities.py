"""Durable entities as a pure function of a state and a request: typed, and one request after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import azure.durable_functions as df
from pydantic import BaseModel, ValidationError

from shared.platform.durable.handles import ONCE, Context, Envelope, Failure, Handle, In, Out, Steps
from shared.platform.errors import TerminalError

State = TypeVar("State", bound=BaseModel)
OPERATION = "decide"


@dataclass(frozen=True)
class Entity(Handle[In, Out], Generic[State, In, Out]):
    """A state that many orchestrations call and change. `state()` is how each one begins."""

    state: type[State]
    decide: Callable[[State, In], tuple[State, Out]]

    def answer(self, state: str | None, payload: str) -> tuple[str | None, str]:
        """The state after one request, and the answer: JSON text each. A refusal changes nothing."""
        try:
            known = self.state.model_validate_json(state) if state else self.state()
            after, answer = self.decide(known, self.takes.model_validate_json(payload))
        except ValidationError as error:
            unreadable = TerminalError(
                f"{self.name} cannot read its state or request: "
                f"{error.errors(include_input=False, include_url=False)[:3]}.",
                code="unreadable-task",
            )
            return state, Envelope(failure=Failure.of(unreadable)).model_dump_json()
        except TerminalError as error:
            return state, Envelope(failure=Failure.of(error)).model_dump_json()
        return after.model_dump_json(), Envelope(value=answer.model_dump_json()).model_dump_json()


ENTITIES: dict[str, Entity[Any, Any, Any]] = {}


def entity(decide: Callable[[State, In], tuple[State, Out]]) -> Entity[State, In, Out]:
    """Make a pure function of a state and a request an entity, named as the function is."""
    hints = get_type_hints(decide)
    state, gives = get_args(hints.pop("return"))
    takes = list(hints.values())[1]
    made = Entity(
        name=decide.__name__,
        takes=takes,
        gives=gives,
        retry=ONCE,
        module=decide.__module__,
        state=state,
        decide=decide,
    )
    ENTITIES[made.name] = made
    return made


def call_entity(context: Context, handle: Entity[Any, In, Out], key: str, request: In) -> Steps[Out]:
    """What the entity of this key answers to a request.

    Raises:
        TerminalError: it refused.
    """
    return handle.decode((yield context.call_entity(df.EntityId(handle.name, key), OPERATION, handle.encode(request))))


def entity_function(handle: Entity[Any, Any, Any]) -> Callable[..., None]:
    """What the host runs: one request of a batch."""

    def entry(context: df.DurableEntityContext) -> None:
        held: Any = context.get_state(lambda: None)
        given: Any = context.get_input()
        state, answer = handle.answer(held, given if isinstance(given, str) else "null")
        context.set_state(state)
        context.set_result(answer)

    entry.__name__ = handle.name
    return entry
