"""Runs one invocation as the Python worker does: plain functions on threads, async ones on the loop."""

import asyncio
import contextlib
import contextvars
import os
import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
from azure.functions import meta

from local.host.core.functions import SDK_TYPE, Function, Parameter
from local.host.core.logs import host_log, in_function, thread_local
from local.host.worker import converters
from local.host.worker.context import InvocationContext
from local.host.worker.failures import FunctionRaised
from local.host.worker.hooks import Hooks

# The worker keeps them without end, and a trigger may bring any number of blobs.
_MOST_KEPT = 1000


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
class Result:
    """What a function gave back, converted for its bindings."""

    returned: meta.Datum | None = None
    outputs: Mapping[str, meta.Datum] = field(default_factory=dict[str, meta.Datum])


class Worker:
    """The thread pool and the way into user code."""

    def __init__(self, threads: int | None) -> None:
        self.hooks = Hooks()
        self._threads = threads
        self._pool = self._new_pool()
        self._kept: dict[tuple[Callable[..., Any], str, str], Any] = {}

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
                name: self._argument(function, name, parameter, values.get(name), metadata)
                for name, parameter in function.inputs.items()
            }
            outputs = {name: OutParameter() for name in function.outputs}
            if function.needs_context:
                arguments["context"] = context
            arguments |= outputs
            token = in_function.set(True)
            try:
                if function.is_async:
                    thread_local.invocation_id = context.invocation_id
                    self.hooks.before(context, arguments)
                    returned = await function.code(**arguments)
                    self.hooks.after(context, arguments, returned)
                else:
                    code = self.hooks.around(function.code, context, arguments)
                    returned = await self._in_thread(code, arguments, context.invocation_id)
            finally:
                in_function.reset(token)
            result = _result(function, returned, outputs)
            with contextlib.suppress(OSError, ValueError):  # nobody may read it any more
                sys.stdout.flush()  # what the function printed is seen with its run, also in a file
            return result  # noqa: TRY300 - it may raise, too
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                raise
            raise FunctionRaised(error) from error
        except FunctionRaised:
            raise
        except BaseException as error:
            # What is no Exception ends or hangs Azure's worker, which is started anew; only this run fails here.
            raise FunctionRaised(error) from error

    def _argument(
        self,
        function: Function,
        name: str,
        parameter: Parameter,
        value: meta.Datum | None,
        metadata: Mapping[str, meta.Datum],
    ) -> Any:
        """The value for a parameter. An object of an SDK is made once for the parameter and what it reaches."""
        key = (function.code, name, str(getattr(value.value, "content", ""))) if value is not None else None
        kept = parameter.converter == SDK_TYPE
        if kept and key in self._kept:
            self._warn_of_stream(function, name, parameter)
            return self._kept[key]
        argument = converters.decode(parameter.converter, value, metadata, parameter.annotation)
        if kept and key is not None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = argument
        return argument

    @staticmethod
    def _warn_of_stream(function: Function, name: str, parameter: Parameter) -> None:
        if getattr(parameter.annotation, "__name__", "") == "StorageStreamDownloader":
            host_log.warning(
                "Function '%s': '%s' is the StorageStreamDownloader of an earlier run for this blob, as in Azure: "
                "what that run has read, this one does not get. Take a BlobClient, and download in the function.",
                *(function.name, name),
            )

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
            finally:
                thread_local.invocation_id = None

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="function")


def thread_count(environment: Mapping[str, str] = os.environ) -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT; None for Python's own default, as the worker takes it where it is no number."""
    text = environment.get("PYTHON_THREADPOOL_THREAD_COUNT", "").strip()
    if re.fullmatch(r"\+?[0-9]{1,6}", text, re.ASCII) and int(text) >= 1:
        return int(text)
    if text:
        host_log.warning(
            "PYTHON_THREADPOOL_THREAD_COUNT must be a whole number from 1 on, not %r: Python's own default counts.",
            text,
        )
    return None


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
