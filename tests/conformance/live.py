"""Plays a recorded instance on a running host: the same start, the same events, the same operations, in their turns."""

import json
import re
import threading
from typing import Any

import azure.durable_functions as df

from local.host.core.clock import ManualClock
from local.host.durable.model import events
from local.host.testing import InProcessHost
from local.host.testing.client import Orchestration

_OPERATIONS = {events.EXECUTION_TERMINATED: "terminate", events.SUSPENDED: "suspend", events.RESUMED: "resume"}
_REPLY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")  # what an entity answers comes as an event that is named by its id
_WEBHOOK = "/runtime/webhooks/durabletask"


class Contexts:
    """What the orchestrators of the app receive, by instance, as the SDK is given it by the worker."""

    def __init__(self, monkeypatch: Any) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[dict[str, Any]]] = {}
        read = df.DurableOrchestrationContext.from_json

        def from_json(text: str) -> df.DurableOrchestrationContext:
            context = json.loads(text)
            with self._lock:
                self._seen.setdefault(context["instanceId"], []).append(context)
            return read(text)

        monkeypatch.setattr(df.DurableOrchestrationContext, "from_json", from_json)

    def of(self, instance_id: str) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._seen.get(instance_id, ()))


def new_events(context: dict[str, Any]) -> list[dict[str, Any]]:
    """What an episode is about: all after its OrchestratorStarted."""
    history = context["history"]
    start = max(i for i, event in enumerate(history) if event["EventType"] == events.ORCHESTRATOR_STARTED)
    return history[start + 1 :]


class Player:
    """Starts and steers orchestrations through the host's HTTP endpoint."""

    def __init__(self, app: InProcessHost) -> None:
        self._app = app

    def play(self, episodes: list[dict[str, Any]]) -> tuple[str, Orchestration]:
        """Our instance of the recorded one, and how it stands once all that happened to it then has happened."""
        first, *later = [new_events(one["context"]) for one in episodes]
        instance_id = self._start(first[0])
        self._app.settle()
        for received in later:
            for event in received:
                self._happen(instance_id, event)
            self._app.settle()
        found = self._app.orchestration(instance_id)
        assert found is not None
        return instance_id, found

    def _start(self, started: dict[str, Any]) -> str:
        name, value = started["Name"], started["Input"]
        sent = _as_the_sdk_sent_it(value)
        if value is None or sent is not None:
            answer = self._app.request("POST", f"/api/start/{name}", sent)
        else:
            headers = {"Content-Type": "application/json"}
            path = f"{_WEBHOOK}/orchestrators/{name}"
            answer = self._app.request("POST", path, value.encode(), headers=headers)
        assert answer.status == 202, answer
        return answer.json()["id"]

    def _happen(self, instance_id: str, event: dict[str, Any]) -> None:
        kind = event["EventType"]
        if kind == events.TIMER_FIRED:
            self._let_time_pass(instance_id)
        elif kind == events.EVENT_RAISED and not _REPLY.match(event["Name"]):
            self._raise(instance_id, event)
        elif kind in _OPERATIONS:
            self._operate(instance_id, _OPERATIONS[kind])
        elif kind == events.GENERIC and event["Data"] == "because":
            self._operate(instance_id, "rewind")

    def _raise(self, instance_id: str, event: dict[str, Any]) -> None:
        name, value = event["Name"], event["Input"]
        sent = _as_the_sdk_sent_it(value)
        if sent is not None:
            answer = self._app.request("POST", f"/api/raise/{instance_id}/{name}", sent)
            assert answer.status == 200, answer
        else:
            path = f"{_WEBHOOK}/instances/{instance_id}/raiseEvent/{name}"
            headers = {"Content-Type": "application/json"}
            assert self._app.request("POST", path, value.encode(), headers=headers).status == 202

    def _operate(self, instance_id: str, operation: str) -> None:
        answer = self._app.request("POST", f"/api/ops/{instance_id}/{operation}")
        assert answer.body == b"null", answer.body

    def _let_time_pass(self, instance_id: str) -> None:
        """Up to the next moment at which something of this instance happens."""
        clock = self._app.host.clock
        assert isinstance(clock, ManualClock)
        before = self._app.orchestration(instance_id)
        while before == self._app.orchestration(instance_id) and (wake := clock.next_wake()) is not None:
            self._app.advance(seconds=(wake - clock.now()).total_seconds())


def _as_the_sdk_sent_it(value: str | None) -> Any:
    """What was given to the SDK's client, which sends JSON text inside JSON; None when another client sent this."""
    try:
        inner = json.loads(value or "null")
        given = json.loads(inner) if isinstance(inner, str) else None
    except ValueError:
        return None
    return given if json.dumps(given) == inner else None
