"""Spans for what the platform cannot see by itself.

In Azure the worker sets OpenTelemetry up (telemetryMode in host.json, PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY), and
the host makes a span of every invocation and carries the trace from the HTTP request through orchestrations into
activities. Without a provider, as on a laptop, a span costs about a microsecond and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Generator[None]:
    """One step of the current trace, under a static name; an exception marks it failed and goes on.

    Attributes are shown to operators: never secrets, never whole documents.
    """
    from opentelemetry import trace  # noqa: PLC0415 - costs a cold start, and no route needs it

    with trace.get_tracer("manifold").start_as_current_span(name, attributes=attributes):
        yield
