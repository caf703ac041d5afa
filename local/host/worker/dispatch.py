"""One run of a function from its trigger to its outputs: bindings, retries, time limit, log lines, and who runs now."""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from azure.functions import meta

from local.host.core.clock import Clock
from local.host.core.errors import HostStopping
from local.host.core.functions import Binding, Function
from local.host.core.logs import InvocationTag, active_invocations, current_invocation, host_log, warn_once
from local.host.worker.calls import Call, InputBinding, OutputBinding
from local.host.worker.context import InvocationContext, RetryContext
from local.host.worker.failures import BindingFailed, FunctionRaised, FunctionTimedOut, RunFailed
from local.host.worker.invocations import Invocation
from local.host.worker.retries import retry_delay, retry_exception
from local.host.worker.watchdog import is_debugged
from local.host.worker.worker import Result, Worker

_RECENT = 500


class Dispatcher:
    """The way from every trigger into the worker."""

    def __init__(self, worker: Worker, clock: Clock, *, timeout: float | None) -> None:
        self.inputs: dict[str, InputBinding] = {}
        self.outputs: dict[str, OutputBinding] = {}
        self.recent: deque[Invocation] = deque(maxlen=_RECENT)
        self._worker = worker
        self._clock = clock
        self._timeout = timeout
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def running(self) -> int:
        """How many runs have begun and not ended."""
        return len(self._running)

    async def run(self, function: Function, call: Call) -> Result:
        """Run the function, with its retries. Raises RunFailed (FunctionRaised, FunctionTimedOut) or HostStopping."""
        if self._stopping:
            raise HostStopping
        task = asyncio.current_task()
        owned = task is not None and task not in self._running
        if task is not None and owned:
            self._running.add(task)
        try:
            return await self._with_retries(function, call)
        except asyncio.CancelledError:
            if self._stopping:
                raise HostStopping from None
            raise
        finally:
            if task is not None and owned:
                self._running.discard(task)

    async def drain(self, grace: float) -> int:
        """Start nothing more, wait up to `grace` seconds for what runs, cancel the rest; how many were cancelled."""
        self._stopping = True
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace)
        left = list(self._running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)
        return len(left)

    async def _with_retries(self, function: Function, call: Call) -> Result:
        policy = function.retry
        if policy is None:
            return await self._attempt(function, call, RetryContext())
        attempt, failure = 0, None
        while True:
            context = RetryContext(attempt, policy.maximum_retries, retry_exception(failure))
            try:
                return await self._attempt(function, call, context)
            except RunFailed as error:
                if 0 <= policy.maximum_retries <= attempt:
                    host_log.error("Function execution failed after '%d' retries.", attempt)
                    raise
                failure = error
            attempt += 1
            delay = retry_delay(policy, attempt)
            host_log.info("Waiting for `%s` before retrying function execution.", _timespan(delay))
            await self._clock.sleep_until(self._clock.now() + timedelta(seconds=delay))

    async def _attempt(self, function: Function, call: Call, retry: RetryContext) -> Result:
        invocation = Invocation(str(uuid.uuid4()), function.name, call.instance_id, call.reason, self._clock.now())
        self.recent.appendleft(invocation)
        tag = InvocationTag(function.name, invocation.id, call.instance_id)
        token = current_invocation.set(tag)
        active_invocations[invocation.id] = tag
        started = time.perf_counter()
        try:
            if host_log.isEnabledFor(logging.INFO):
                host_log.info(
                    "Executing 'Functions.%s' (Reason='%s', Id=%s%s)",
                    function.name,
                    call.reason,
                    invocation.id,
                    f", InstanceId={call.instance_id}" if call.instance_id else "",
                )
            if call.details:
                host_log.info("Trigger Details: %s", call.details)
            result = await self._limited(function, call, invocation, retry)
        except BaseException as error:
            invocation.fail(error, time.perf_counter() - started)
            raise
        else:
            invocation.succeed(time.perf_counter() - started)
            return result
        finally:
            del active_invocations[invocation.id]
            current_invocation.reset(token)

    async def _limited(self, function: Function, call: Call, invocation: Invocation, retry: RetryContext) -> Result:
        if self._timeout is None:
            return await self._once(function, call, invocation, retry)
        limit = asyncio.timeout(None)
        try:
            async with limit:
                timer = asyncio.get_running_loop().call_later(self._timeout, _expire, limit)
                try:
                    return await self._once(function, call, invocation, retry)
                finally:
                    timer.cancel()
        except TimeoutError:
            if not limit.expired():
                raise
            host_log.error(
                "Timeout value of %s exceeded by function 'Functions.%s' (Id: '%s'). Initiating cancellation.",
                _timespan(self._timeout or 0),
                function.name,
                invocation.id,
            )
            if not function.is_async:
                self._worker.abandon_threads()
                host_log.warning(
                    "The thread of 'Functions.%s' goes on until it returns: Python cannot stop it. "
                    "In Azure the worker process restarts and every other run in it dies too.",
                    function.name,
                )
            raise FunctionTimedOut(
                f"Timeout value of {_timespan(self._timeout or 0)} was exceeded by function: Functions.{function.name}"
            ) from None

    async def _once(self, function: Function, call: Call, invocation: Invocation, retry: RetryContext) -> Result:
        context = InvocationContext(
            invocation_id=invocation.id,
            function_name=function.name,
            function_directory=str(function.directory),
            trace_context=call.trace,
            retry_context=retry,
        )
        values: dict[str, meta.Datum | None] = {function.trigger.name: call.value}
        for binding in function.bindings:
            reader = self.inputs.get(binding.type)
            if reader is not None and binding.direction == "in" and binding is not function.trigger:
                with _failing_as(binding):
                    values[binding.name] = await reader.read(function, binding, call)
        result = await self._worker.run(function, values, call.metadata, context)
        for binding in function.bindings:
            writer = self.outputs.get(binding.type)
            if writer is None or binding.direction != "out":
                continue
            value = result.returned if binding.name == "$return" else result.outputs.get(binding.name)
            if value is not None and value.type is not None:
                with _failing_as(binding):
                    await writer.write(function, binding, value, call)
        return result


def _expire(limit: asyncio.Timeout) -> None:
    if not is_debugged():
        limit.reschedule(0)
        return
    # As in Azure (TimeoutWhileDebugging is false): who stands in a breakpoint may stand there.
    warn_once("functionTimeout ends no run any more: there is a debugger.")


@contextmanager
def _failing_as(binding: Binding) -> Generator[None]:
    """Name the binding instead of showing the stack of its service's SDK."""
    try:
        yield
    except Exception as error:
        host_log.debug("The binding '%s' failed.", binding.name, exc_info=error)
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise FunctionRaised(BindingFailed(f"'{binding.name}' of type {binding.type}: {reason}")) from error


def _timespan(seconds: float) -> str:
    whole, fraction = divmod(seconds, 1)
    minutes, second = divmod(int(whole), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours:02}:{minute:02}:{second:02}"
    return f"{text}.{int(fraction * 1e7):07}" if fraction else text
