"""What routes and triggers do with orchestrations: start, look up, terminate, raise events."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote, urlencode

import aiohttp
from azure.durable_functions import DurableOrchestrationClient, EntityId
from pydantic import BaseModel, ConfigDict, Field

from shared.platform.durable.entities import OPERATION, Entity, State
from shared.platform.durable.handles import FAILURE, Failure, In, Orchestration
from shared.platform.errors import Conflict, NotFound, TransientError, UnusableCursor
from shared.platform.models import LazyModel

logger = logging.getLogger(__name__)

CALL_SECONDS = 30
_BEGINNING = "2000-01-01T00:00:00Z"


class RunState(StrEnum):
    """The states of an orchestration, as the host names them."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    CANCELED = "Canceled"

    @property
    def finished(self) -> bool:
        return self in (RunState.COMPLETED, RunState.FAILED, RunState.TERMINATED, RunState.CANCELED)


class Instance(LazyModel):
    """One orchestration as the host reports it. Times are UTC to the second."""

    model_config = ConfigDict(populate_by_name=True)
    instance_id: str = Field(alias="instanceId")
    name: str
    state: RunState = Field(alias="runtimeStatus")
    created_at: datetime = Field(alias="createdTime")
    updated_at: datetime = Field(alias="lastUpdatedTime")
    progress: Any = Field(default=None, alias="customStatus")
    output: Any = None
    history: list[dict[str, Any]] | None = Field(default=None, alias="historyEvents")

    @property
    def failure(self) -> Failure | None:
        """The error of this app in which it failed, if it did; other errors are in `output`, as the host's text."""
        shown = cast("dict[str, Any]", self.progress) if isinstance(self.progress, dict) else {}
        return Failure.model_validate(shown[FAILURE]) if self.state is RunState.FAILED and FAILURE in shown else None


class InstancePage(LazyModel):
    """Some orchestrations, and where the next page begins."""

    instances: list[Instance]
    continuation: str | None


class DurableClient:
    """The host's durable client, typed."""

    def __init__(self, client: DurableOrchestrationClient) -> None:
        self._client = client
        bindings: Any = client._orchestration_bindings  # noqa: SLF001 - the SDK offers no paging and no history of its own  # pyright: ignore[reportPrivateUsage] - as said
        self._rpc: str = bindings.rpc_base_url

    async def start(
        self,
        orchestration: Orchestration[In, Any],
        task: In,
        *,
        instance_id: str | None = None,
    ) -> str:
        """Start an orchestration and give its instance id, a new one unless `instance_id` names it.

        Of one id, only one runs at a time. Starting an id that has finished runs it again: where that must not
        happen, the first activity claims the work.

        Raises:
            Conflict: the id is running.
            PayloadTooLarge: the task is, as that of every step.
        """
        payload = orchestration.encode(task)
        if instance_id is not None and await self.runs(instance_id):
            raise _busy(instance_id)
        try:
            return await self._client.start_new(orchestration.name, instance_id, payload)
        except Exception as error:
            if instance_id is not None and "already exists" in str(error):
                raise _busy(instance_id) from None
            raise TransientError(
                f"The durable host did not start {orchestration.name}: {str(error)[:300]}.", code="durable-unavailable"
            ) from error

    async def start_if_idle(
        self, orchestration: Orchestration[In, Any], task: In, *, instance_id: str, past_due: bool = False
    ) -> bool:
        """Start an orchestration as `start` does, unless one of this id runs; whether it was started.

        `past_due`: whether the timer that starts it came late, for the log.
        """
        try:
            await self.start(orchestration, task, instance_id=instance_id)
        except Conflict:
            logger.info(
                "An orchestration was not started, since it is running.",
                extra={"instance_id": instance_id, "past_due": past_due},
            )
            return False
        return True

    async def find(self, instance_id: str, *, history: bool = False) -> Instance | None:
        """The orchestration, without its input; None if there is none. Its history comes only with `history`."""
        query = {"showInput": "false"} | ({"showHistory": "true"} if history else {})
        status, _, body = await self._get(f"instances/{quote(instance_id, safe='')}", query)
        if status == HTTPStatus.BAD_REQUEST and history:
            # The host cannot show the history of a run that failed for not being deterministic.
            return await self.find(instance_id)
        return None if status == HTTPStatus.NOT_FOUND or body is None else Instance.model_validate(body)

    async def runs(self, instance_id: str) -> bool:
        """Whether there is such an orchestration and it has not finished."""
        instance = await self.find(instance_id)
        return instance is not None and not instance.state.finished

    async def page(
        self,
        *,
        top: int,
        continuation: str | None = None,
        states: list[RunState] | None = None,
        prefix: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> InstancePage:
        """Up to `top` orchestrations (entities left out) in the order of their ids, created in [since, until]."""
        query = {"top": str(top), "showInput": "false"}
        if states:
            query["runtimeStatus"] = ",".join(states)
        if prefix:
            query["instanceIdPrefix"] = prefix
        if since:
            query["createdTimeFrom"] = since.isoformat()
        if until:
            query["createdTimeTo"] = until.isoformat()
        status, headers, body = await self._get("instances/", query, continuation)
        if status == HTTPStatus.BAD_REQUEST:
            raise UnusableCursor
        rows: list[dict[str, Any]] = body or []
        shown = [Instance.model_validate(one) for one in rows if not one["instanceId"].startswith("@")]
        return InstancePage(instances=shown, continuation=headers.get("x-ms-continuation-token") or None)

    async def entity_state(self, handle: Entity[State, Any, Any], key: str) -> State:
        """The state of the entity of this key; how it begins, if nobody has called it yet."""
        try:
            found = await self._client.read_entity_state(EntityId(handle.name, key))
        except Exception as error:
            raise TransientError(
                f"The durable host did not show {handle.name}: {str(error)[:300]}.", code="durable-unavailable"
            ) from error
        held: Any = found.entity_state
        return handle.state.model_validate_json(held) if found.entity_exists and held else handle.state()

    async def signal(self, handle: Entity[Any, In, Any], key: str, request: In) -> None:
        """Have the entity of this key take a request some time; nobody hears its answer.

        Raises:
            TransientError: the host did not take it.
            PayloadTooLarge: the request is.
        """
        payload = handle.encode(request)
        try:
            await self._client.signal_entity(EntityId(handle.name, key), OPERATION, payload)
        except Exception as error:
            raise TransientError(
                f"The durable host did not signal {handle.name}: {str(error)[:300]}.", code="durable-unavailable"
            ) from error

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Terminate an orchestration at its next step. Its running activities and children go on to their end.

        Raises:
            NotFound, Conflict: there is no such orchestration, or it has finished.
        """
        await self._require_running(instance_id)
        await self._client.terminate(instance_id, reason)

    async def raise_event(self, instance_id: str, event: str, data: BaseModel) -> None:
        """Send an event to a running orchestration.

        Raises:
            NotFound, Conflict: there is no such orchestration, or it has finished.
        """
        await self._require_running(instance_id)
        await self._client.raise_event(instance_id, event, data.model_dump_json())

    async def purge_before(self, moment: datetime) -> int:
        """Purge the finished orchestrations that were created before `moment`; how many they were."""
        body: Any
        query = {
            "createdTimeFrom": _BEGINNING,
            "createdTimeTo": moment.isoformat(),
            "runtimeStatus": ",".join(state for state in RunState if state.finished),
        }
        status, _, body = await self._request("DELETE", "instances/", query)
        return 0 if status == HTTPStatus.NOT_FOUND or body is None else int(body["instancesDeleted"])

    async def _require_running(self, instance_id: str) -> None:
        instance = await self.find(instance_id)
        if instance is None:
            raise NotFound(f"There is no run {instance_id}.")
        if instance.state.finished:
            raise Conflict(f"The run {instance_id} is {instance.state.value.lower()} already.", code="run-finished")

    async def _get(
        self, path: str, query: Mapping[str, str], continuation: str | None = None
    ) -> tuple[int, Mapping[str, str], Any]:
        return await self._request("GET", path, query, continuation)

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], continuation: str | None = None
    ) -> tuple[int, Mapping[str, str], Any]:
        headers = {"x-ms-continuation-token": continuation} if continuation else {}
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, f"{self._rpc}{path}?{urlencode(query)}", headers=headers) as answer,
            ):
                text = await answer.text()
                body: Any = json.loads(text) if text else None
                refused = answer.status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND)
                if refused and answer.status != HTTPStatus.BAD_REQUEST:
                    raise TransientError(f"The durable host answered {answer.status}.", code="durable-unavailable")
                return answer.status, answer.headers, body
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientError(
                f"The durable host did not answer: {type(error).__name__}.", code="durable-unavailable"
            ) from error


def _busy(instance_id: str) -> Conflict:
    return Conflict(
        f"{instance_id} is running.",
        code="already-running",
        remedy=f"Wait until it ends, cancel it by its own route, or POST /ops/runs/{instance_id}/terminate.",
    )
