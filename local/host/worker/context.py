"""What a function may ask of its invocation: the `context` argument, as azure.functions declares it."""

import operator
from dataclasses import dataclass, field
from typing import Any

from local.host.core.logs import thread_local


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

    source: str = ""
    stack_trace: str = ""
    message: str = ""


@dataclass(frozen=True)
class RetryContext:
    """Which attempt this is: 0 for the first one, and 0 of 0 when the function has no retry policy.

    The worker has no `exception`, which azure.functions declares, and the first attempt one of empty texts.
    """

    retry_count: int = 0
    max_retry_count: int = 0
    rpc_exception: RetryException = field(default_factory=RetryException)

    def __getattr__(self, name: str) -> Any:
        hint = ". Azure's worker calls it rpc_exception, which is never None." if name == "exception" else ""
        raise AttributeError(f"'RetryContext' object has no attribute '{name}'{hint}", name=name, obj=self)


@dataclass(frozen=True)
class InvocationContext:
    """The `context` argument of a function."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: TraceContext = field(default_factory=TraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)
    thread_local_storage: Any = thread_local
