"""What a trigger hands to the dispatcher, and what fetches and delivers the values of the other bindings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from azure.functions import meta

from local.host.core.functions import Binding, Function
from local.host.worker.context import TraceContext

HOST_API_REASON = "This function was programmatically called via the host APIs."


@dataclass(frozen=True)
class Call:
    """Why a function runs and with what: its trigger's value, the metadata beside it, and what expressions may use."""

    reason: str
    value: meta.Datum | None = None
    metadata: Mapping[str, meta.Datum] = field(default_factory=dict[str, meta.Datum])
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    instance_id: str = ""
    trace: TraceContext = field(default_factory=TraceContext)
    details: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


class InputBinding(Protocol):
    """Fetches the value of an input binding."""

    async def read(self, function: Function, binding: Binding, call: Call) -> meta.Datum | None:
        """The value; None when there is none to give."""
        ...


class OutputBinding(Protocol):
    """Delivers the value of an output binding after the function succeeded."""

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Deliver it, or raise: the run then counts as failed."""
        ...
