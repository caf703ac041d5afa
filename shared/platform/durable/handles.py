"""Typed handles of activities and orchestrations: one pydantic model in, one out.

Models cross the wire as JSON text, so that nothing an outsider wrote is ever rebuilt as an object on the way
(azure-functions decodes objects that carry `__class__` marks through the class they name).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar, get_type_hints, overload

import azure.durable_functions as df
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.platform.durable.failures import AttemptFailed, Failure
from shared.platform.errors import PayloadTooLarge, TerminalError, TransientError
from shared.platform.models import LazyModel
from shared.platform.telemetry import span

Context = df.DurableOrchestrationContext
In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
T = TypeVar("T")
Steps = Generator[Any, Any, T]
"""What an orchestrator is: it yields durable tasks and returns a T."""

logger = logging.getLogger(__name__)

PAYLOAD_BYTES = 16_384
"""Most UTF-8 bytes of a step's input, and of an activity's output. More travels as a reference, since histories are
replayed whole.
"""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a step that failed in a way that may pass is tried again."""

    attempts: int = 4
    first_delay: timedelta = timedelta(seconds=5)
    factor: float = 2.0
    longest_delay: timedelta = timedelta(minutes=5)

    def delay(self, attempt: int) -> timedelta:
        """How long to wait after the given attempt (1 is the first) has failed."""
        return min(self.first_delay * self.factor ** (attempt - 1), self.longest_delay)


ONCE = RetryPolicy(attempts=1)


class Nothing(LazyModel):
    """A task or an answer without content."""

    model_config = ConfigDict(frozen=True, extra="forbid")


FAILURE = "failure"
"""Under which the custom status of a failed orchestration holds its Failure, beside what it showed last."""


class Envelope(LazyModel):
    """What a step answers: its model's JSON text, or why trying again is useless.

    An exception would arrive as cut text without its code, so terminal errors travel as values.
    """

    model_config = ConfigDict(frozen=True)
    value: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Handle(Generic[In, Out]):
    """What activities and orchestrations have in common: a name in the host, a model on either side, their module."""

    name: str
    takes: type[In]
    gives: type[Out]
    retry: RetryPolicy
    module: str

    def encode(self, task: In) -> str:
        """The input as it crosses to the host.

        Raises:
            PayloadTooLarge: it is larger than PAYLOAD_BYTES.
        """
        payload = task.model_dump_json()
        if (size := byte_length(payload)) > PAYLOAD_BYTES:
            raise _too_large(f"{self.name} was called with", size)
        return payload

    def decode(self, answer: Any) -> Out:
        """The model in an answer of this step.

        Raises:
            TerminalError: the step ended in one, or the answer is not of this version's shape.
        """
        try:
            envelope = Envelope.model_validate_json(answer)
            if envelope.failure is None:
                return self.gives.model_validate_json(envelope.value or "null")
        except ValidationError as error:
            raise TerminalError(
                f"{self.name} answered what this version cannot read: {error.errors(include_input=False)[:3]}.",
                code="unreadable-answer",
                remedy="It was started by another version of the app: start it again.",
            ) from None
        raise envelope.failure.error()


@dataclass(frozen=True)
class Activity(Handle[In, Out]):
    """One idempotent side effect. Calling the handle runs it here and now, as tests do."""

    run: Callable[[In], Awaitable[Out]]

    async def __call__(self, task: In) -> Out:
        return await self.run(task)

    async def answer(self, payload: str) -> str:
        """What the host is given for one invocation: JSON text in, an envelope's JSON text out.

        Raises:
            AttemptFailed: the step raised a TransientError; the host records it and the orchestration may try again.
            Exception: whatever else it raised but a TerminalError; this is tried again as well.
        """
        try:
            task = self.takes.model_validate_json(payload)
        except ValidationError as error:
            failure = TerminalError(
                f"{self.name} was called with something else than {self.takes.__name__}: "
                f"{error.errors(include_input=False, include_url=False)[:3]}.",
                code="unreadable-task",
            )
            return Envelope(failure=Failure.of(failure)).model_dump_json()
        try:
            # The host counts an envelope as a success; this span is what the alerts see fail.
            with span(self.name, step=self.name):
                value = (await self.run(task)).model_dump_json()
        except TerminalError as error:
            logger.warning("A step failed for good.", extra={"step": self.name, "code": error.code})
            return Envelope(failure=Failure.of(error)).model_dump_json()
        except TransientError as error:
            # What is raised below has no stack that helps, so the log gets that of the error.
            logger.warning("An attempt at a step failed.", extra={"step": self.name, "code": error.code}, exc_info=True)
            raise AttemptFailed(error) from None
        if (size := byte_length(value)) > PAYLOAD_BYTES:
            return Envelope(failure=Failure.of(_too_large(f"{self.name} answered", size))).model_dump_json()
        return Envelope(value=value).model_dump_json()


def byte_length(text: str) -> int:
    """The length of the text in UTF-8."""
    return len(text.encode(errors="replace"))


def _too_large(subject: str, size: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"{subject} {size:,} bytes, more than {PAYLOAD_BYTES:,}.",
        remedy="Store the data and pass a reference to it.",
    )


@dataclass(frozen=True)
class Orchestration(Handle[In, Out]):
    """The order of steps. Deterministic: no clock, randomness, I/O, settings or logging of its own."""

    run: Callable[[Context, In], Steps[Out]]

    def __call__(self, context: Context, task: In) -> Steps[Out]:
        return self.run(context, task)


ACTIVITIES: dict[str, Activity[Any, Any]] = {}
ORCHESTRATIONS: dict[str, Orchestration[Any, Any]] = {}


@overload
def activity(run: Callable[[In], Awaitable[Out]]) -> Activity[In, Out]: ...
@overload
def activity(*, retry: RetryPolicy) -> Callable[[Callable[[In], Awaitable[Out]]], Activity[In, Out]]: ...
def activity(run: Callable[[In], Awaitable[Out]] | None = None, *, retry: RetryPolicy | None = None) -> Any:
    """Make an async function of one model an activity, named as the function is."""

    def make(run: Callable[[In], Awaitable[Out]]) -> Activity[In, Out]:
        takes, gives = _models(run, position=0)
        handle = Activity(
            name=run.__name__,
            takes=takes,
            gives=gives,
            retry=retry or RetryPolicy(),
            module=run.__module__,
            run=run,
        )
        _keep(ACTIVITIES, handle)
        return handle

    return make if run is None else make(run)


def orchestration(run: Callable[[Context, In], Steps[Out]]) -> Orchestration[In, Out]:
    """Make a generator function of a context and one model an orchestration, named as the function is.

    A failed orchestration is not tried again as a whole: its activities already were.
    """
    takes, gives = _models(run, position=1)
    handle = Orchestration(name=run.__name__, takes=takes, gives=gives, retry=ONCE, module=run.__module__, run=run)
    _keep(ORCHESTRATIONS, handle)
    return handle


def _models(run: Callable[..., Any], position: int) -> tuple[type[Any], type[Any]]:
    hints = get_type_hints(run)
    gives = hints.pop("return")
    takes = list(hints.values())[position]
    if getattr(gives, "__args__", None):  # Steps[Out] is a Generator of three
        gives = gives.__args__[2]
    for model in (takes, gives):
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            message = f"{run.__name__} must take one pydantic model and give one; {model!r} is none"
            raise TypeError(message)
    return takes, gives


def _keep(handles: dict[str, Any], handle: Handle[Any, Any]) -> None:
    known = handles.setdefault(handle.name, handle)
    if known.module != handle.module:
        message = f"two steps are named {handle.name}; the host needs different names"
        raise ValueError(message)
    handles[handle.name] = handle
