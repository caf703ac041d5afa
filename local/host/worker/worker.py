"""Runs one invocation as the Python worker does: plain functions on threads, async ones on the loop."""

import asyncio
import concurrent.futures.thread
import contextvars
import importlib
import operator
import os
import re
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions import meta

from local.host.core.functions import Function
from local.host.core.logs import thread_local
from local.host.settings.local_settings import ConfigurationError
from local.host.worker import converters

_ORCHESTRATOR_STATE = "\n\n$OutOfProcData$"
_DURABLE_SDK = str(Path("azure", "durable_functions"))
_SERIALISED = re.compile(r'\s*\{"\$type":"System\.Exception,.*')
_OWN_FOLDER = str(Path(__file__).parents[1])
_OWN_FILES = {concurrent.futures.thread.__file__, importlib.__file__}


class RunFailed(Exception):
    """A run ended without success; the log says so."""


class FunctionRaised(RunFailed):
    """The function, or the conversion of its arguments and results, raised `error`."""

    def __init__(self, error: BaseException) -> None:
        self.text = _text_of(error)
        """What `str(error)` gives; the durable SDK hangs the whole state of an orchestrator onto it."""
        super().__init__(f"{type(error).__name__}: {self.text.partition(_ORCHESTRATOR_STATE)[0]}")
        self.error = error

    @property
    def report(self) -> str:
        """The failure as the Functions host logs it, but for what hides an orchestrator's own error.

        That are the exceptions of its tasks as .NET writes them, told of where they happened, and the SDK's frames.
        """
        cause = self.error.__cause__ if _ORCHESTRATOR_STATE in self.text else None
        stack = self.stack if cause is None else app_stack(cause, without=_DURABLE_SDK)
        return f"Result: Failure\nException: {_SERIALISED.sub('', str(self))}\nStack: {stack}"

    @property
    def stack(self) -> str:
        """The traceback without the frames of this host and of its thread pool."""
        return app_stack(self.error)


class OutParameter(func.Out[Any]):
    """What a function sets for one of its output bindings."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Keep the value until the function has returned."""
        self._value = val

    def get(self) -> Any:
        """The value set last; None when there is none."""
        return self._value


@dataclass(frozen=True)
class TraceContext:
    """The W3C trace context of an invocation."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    # The names that azure.functions declares, beside those that its documentation uses.
    Traceparent = property(operator.attrgetter("trace_parent"))
    Tracestate = property(operator.attrgetter("trace_state"))
    Attributes = property(operator.attrgetter("attributes"))


@dataclass(frozen=True)
class RetryException:
    """The failure that caused a retry."""

    source: str
    stack_trace: str
    message: str


@dataclass(frozen=True)
class RetryContext:
    """Which attempt this is: 0 for the first one, and 0 of 0 when the function has no retry policy."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RetryException | None = None

    rpc_exception = property(operator.attrgetter("exception"))


@dataclass(frozen=True)
class InvocationContext:
    """The `context` argument of a function."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: TraceContext = field(default_factory=TraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)
    thread_local_storage: Any = thread_local


@dataclass(frozen=True)
class Result:
    """What a function gave back, converted for its bindings."""

    returned: meta.Datum | None = None
    outputs: Mapping[str, meta.Datum] = field(default_factory=dict[str, meta.Datum])


class Worker:
    """The thread pool and the way into user code."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads
        self._pool = self._new_pool()

    async def run(
        self,
        function: Function,
        values: Mapping[str, meta.Datum | None],
        metadata: Mapping[str, meta.Datum],
        context: InvocationContext,
    ) -> Result:
        """Convert the values, call the function, convert what it gave back. Raises FunctionRaised."""
        try:
            arguments = {
                name: converters.decode(parameter.converter, values.get(name), metadata, parameter.annotation)
                for name, parameter in function.inputs.items()
            }
            outputs = {name: OutParameter() for name in function.outputs}
            if function.needs_context:
                arguments["context"] = context
            arguments |= outputs
            if function.is_async:
                thread_local.invocation_id = context.invocation_id
                returned = await function.code(**arguments)
            else:
                returned = await self._in_thread(function.code, arguments, context.invocation_id)
            return _result(function, returned, outputs)
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                raise
            raise FunctionRaised(error) from error
        except FunctionRaised:
            raise
        except BaseException as error:
            # What is no Exception ends or hangs Azure's worker, which is started anew; only this run fails here.
            raise FunctionRaised(error) from error

    def abandon_threads(self) -> None:
        """Leave the pool to the functions that hang in it: Azure restarts its worker in this place."""
        stuck, self._pool = self._pool, self._new_pool()
        stuck.shutdown(wait=False)

    def stop(self) -> None:
        """Take no more work; running threads are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, code: Callable[..., Any], arguments: Mapping[str, Any], invocation_id: str) -> Any:
        snapshot = contextvars.copy_context()

        def call() -> Any:
            thread_local.invocation_id = invocation_id
            try:
                return snapshot.run(code, **arguments)
            except StopIteration as error:  # which no future can carry
                raise RuntimeError("function raised StopIteration") from error
            except GeneratorExit as error:  # which, thrown into it, would close the coroutine that waits
                raise FunctionRaised(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="function")


def app_stack(error: BaseException, *, without: str | None = None) -> str:
    """The traceback without the frames of this host, of its threads and of imports, and of files with `without`."""
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if one.filename not in _OWN_FILES
        and not one.filename.startswith(_OWN_FOLDER)
        and not one.filename.startswith("<frozen importlib")
        and (without is None or without not in one.filename)
    ]
    return "".join(traceback.format_list(frames)).rstrip()


def thread_count(environment: Mapping[str, str] = os.environ) -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT; None for Python's own default. Raises ConfigurationError."""
    text = environment.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        raise ConfigurationError(f"PYTHON_THREADPOOL_THREAD_COUNT must be a whole number from 1 on, not {text!r}.")
    return int(text)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the app's own __str__ may raise anything
        return "Unhandled exception in function. Could not serialize original exception message."


def _is_being_cancelled() -> bool:
    """Whether the host cancels this run, and not the function's own code something that it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _result(function: Function, returned: Any, outputs: Mapping[str, OutParameter]) -> Result:
    if returned is not None and function.returns is None:
        # The missing blank is the worker's.
        raise RuntimeError(f"function {function.name!r} without a $return bindingreturned a non-None value")
    encoded: dict[str, meta.Datum] = {}
    for name, parameter in function.outputs.items():
        value = outputs[name].get()
        if value is not None:
            datum = converters.encode(parameter.converter, value, parameter.annotation)
            if datum is not None:
                encoded[name] = datum
    result: meta.Datum | None = None
    if function.returns is not None:
        result = converters.encode(function.returns.converter, returned, function.returns.annotation)
    return Result(result, encoded)
