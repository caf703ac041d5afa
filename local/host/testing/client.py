"""What a test asks of a running host over HTTP."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

_WEBHOOK = "/runtime/webhooks/durabletask"
_FINISHED = {"Completed", "Failed", "Terminated", "Canceled"}


@dataclass(frozen=True)
class Orchestration:
    """An orchestration as its status shows it; the history is empty where the extension refuses to show it."""

    instance_id: str
    status: str
    output: Any
    custom_status: Any
    history: list[dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def _is_finished(found: Orchestration) -> bool:
    return found.status in _FINISHED


class HostClient:
    """What can be asked of a running host over HTTP."""

    url = ""

    def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, timeout: float = 30
    ) -> Answer:
        """Send a request to the host; bytes go as they are, anything else as JSON. Answers of any status come back."""
        address = path if path.startswith("http") else self.url + path
        sent = dict(headers or {})
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if data is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(address, data, sent, method=method)  # noqa: S310 - the address is the host's
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - as above
                return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(answer.code, dict(answer.headers.items()), answer.read())

    def start_orchestration(self, name: str, value: Any = None, instance_id: str | None = None) -> str:
        """Start an orchestration as the SDK's client does; its instance id."""
        # The SDK sends its input as JSON text inside JSON.
        path = f"{_WEBHOOK}/orchestrators/{quote(name)}" + (f"/{quote(instance_id)}" if instance_id else "")
        answer = self.request("POST", path, None if value is None else json.dumps(value))
        if answer.status != 202:  # noqa: PLR2004 - accepted
            raise AssertionError(f"{name} was not started: {answer.status} {answer.body.decode(errors='replace')}")
        return cast("str", answer.json()["id"])

    def orchestration(self, instance_id: str) -> Orchestration | None:
        """The orchestration as it stands, with its history; None when there is none of that id."""
        path = f"{_WEBHOOK}/instances/{quote(instance_id)}"
        answer = self.request("GET", f"{path}?showHistory=true&showHistoryOutput=true")
        if answer.status == 400:  # noqa: PLR2004 - as the extension answers where a history contradicts itself
            answer = self.request("GET", path)
        if answer.status == 404:  # noqa: PLR2004 - not found
            return None
        found = answer.json()
        return Orchestration(
            instance_id,
            found["runtimeStatus"],
            found.get("output"),
            found.get("customStatus"),
            found.get("historyEvents") or [],
        )

    def wait_for(
        self, instance_id: str, *, until: Callable[[Orchestration], bool] | None = None, timeout: float = 30
    ) -> Orchestration:
        """Wait until the orchestration is finished, or `until` holds. Raises AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        done = until or _is_finished
        pause = 0.01
        while True:
            found = self.orchestration(instance_id)
            if found is not None and done(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"Orchestration {instance_id} is not there yet after {timeout:g} s: {found}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)  # each look costs the host more than what it waits for

    def raise_event(self, instance_id: str, name: str, value: Any = None) -> None:
        """Raise an external event on an orchestration."""
        answer = self.request(
            "POST",
            f"{_WEBHOOK}/instances/{quote(instance_id)}/raiseEvent/{quote(name)}",
            json.dumps(value).encode(),
            headers={"Content-Type": "application/json"},
        )
        if answer.status != 202:  # noqa: PLR2004 - accepted
            raise AssertionError(f"The event was not taken: {answer.status} {answer.body.decode(errors='replace')}")

    def call(self, function: str, value: str = "") -> None:
        """Run a function that has no HTTP route by hand, as POST /admin/functions/{name} does."""
        answer = self.request("POST", f"/admin/functions/{quote(function)}", {"input": value})
        if answer.status != 202:  # noqa: PLR2004 - accepted
            raise AssertionError(f"{function} was not run: {answer.status}")
