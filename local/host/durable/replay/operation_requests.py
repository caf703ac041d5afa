"""The requests that an orchestration sends to entities, the same at every replay."""

from typing import Any
from uuid import UUID, uuid5

from local.host.durable.model import dotnet

_GUID_NAMESPACE = UUID("9e952959-5e33-4daf-827f-2fa12937b875")
_REQUEST_TYPE = (
    "Microsoft.Azure.WebJobs.Extensions.DurableTask.RequestMessage, Microsoft.Azure.WebJobs.Extensions.DurableTask"
)


class OperationRequests:
    """The requests of one execution, numbered and stamped in the order in which they are sent."""

    def __init__(self) -> None:
        self._guids = 0
        self._last_sent_ticks: dict[str, tuple[int, str]] = {}

    def request(
        self,
        instance_id: str,
        execution_id: str,
        target: str,
        operation: str,
        input_text: str | None,
        *,
        signal: bool,
        requested: str,
        now: str,
    ) -> tuple[str, str]:
        """The request's id, by which the reply comes back, and its JSON text."""
        request_id = self._new_guid(instance_id, now)
        stamp, predecessor = self._label(target, now)
        message: dict[str, Any] = {"$type": _REQUEST_TYPE, "op": operation}
        if signal:
            message["signal"] = True
        if input_text is not None:
            message["input"] = input_text
        message |= {"id": request_id, "parent": instance_id, "parentExecution": execution_id}
        message |= {"Timestamp": stamp, "Predecessor": predecessor, "requestTime": requested}
        return request_id, dotnet.to_json(message)

    def _new_guid(self, instance_id: str, now: str) -> str:
        """The extension's own deterministic ids: every replay finds those of the one before."""
        when = dotnet.round_trip(now)
        self._guids += 1
        return str(uuid5(_GUID_NAMESPACE, f"{instance_id}_{when}_{self._guids - 1}"))

    def _label(self, target: str, now: str) -> tuple[str, str]:
        """MessageSorter's stamps: strictly growing towards each target, each naming the one before."""
        ticks = dotnet.ticks(dotnet.parse_time(now))
        last, last_text = self._last_sent_ticks.get(target, (0, "0001-01-01T00:00:00"))
        text = now
        if ticks <= last:
            ticks = last + 1
            text = dotnet.ticks_text(ticks)
        self._last_sent_ticks[target] = (ticks, text)
        return text, last_text
