"""What goes on while a host is killed again and again, and what must have come of it in the end."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from local.host.testing.client import HostClient, Orchestration

WEBHOOK = "/runtime/webhooks/durabletask"
RESULTS = {
    "chain": 10,
    "fan": 28,
    "retry": "done",
    "parent": [10, "done"],
    "timers": "fired",
    "race": [True, "now", 1],
    "again": 3,
    "tally": 15,
    "nested": [[1, 2], 3],
    "caught": [True, 1],
    "ended": "ended",
    "paused": ["now", 1],
    "ticks": [1, 2, 3],
    "web": 200,
    "rewound": "done",
}


class Orchestrations:
    """Starts orchestrations and does to them what they wait for; each of it goes to a host that is then killed."""

    def __init__(self, host: HostClient) -> None:
        self._host = host
        self.started: dict[str, str] = {}
        self.signals = 0
        self._waiting: dict[str, Callable[[Orchestration], bool]] = {}
        self._attend = {
            "race": self._raise_its_event,
            "ended": self._terminate_its_child,
            "paused": self._pause,
            "ticks": self._raise_three_events,
            "rewound": self._rewind,
        }

    def start(self, pattern: str, instance_id: str) -> None:
        """Start it."""
        self._host.start_orchestration(pattern, None, instance_id)
        self.started[instance_id] = pattern
        if pattern in self._attend:
            self._waiting[instance_id] = self._attend[pattern]

    def signal(self) -> None:
        """One more for the entity that counts signals."""
        answer = self._host.request(
            "POST", f"{WEBHOOK}/entities/counter/signals?op=add", "1"
        )  # JSON inside JSON, as the SDK sends it
        assert answer.status == 202, answer
        self.signals += 1

    def attend(self) -> bool:
        """Do what each is ready for; whether any is left that needs more."""
        for instance_id, act in list(self._waiting.items()):
            found = self._host.orchestration(instance_id)
            assert found is not None, f"{instance_id} was accepted and is lost"
            if act(found):
                del self._waiting[instance_id]
        return bool(self._waiting)

    def _raise_its_event(self, found: Orchestration) -> bool:
        if _has(found, "EventRaised"):
            return True
        self._host.raise_event(found.instance_id, "go", "now")
        return False

    def _raise_three_events(self, found: Orchestration) -> bool:
        for number in (1, 2, 3):
            self._host.raise_event(found.instance_id, "tick", number)
        return True

    def _terminate_its_child(self, found: Orchestration) -> bool:
        child = self._host.orchestration(f"{found.instance_id}-child")
        if child is not None and child.status != "Terminated":
            self._operate(child.instance_id, "terminate")
        return child is not None and child.status == "Terminated"

    def _pause(self, found: Orchestration) -> bool:
        if _has(found, "EventRaised") and found.status != "Suspended":
            return True
        if found.status != "Suspended":
            self._operate(found.instance_id, "suspend")
        elif not _has(found, "EventRaised"):
            self._host.raise_event(found.instance_id, "go", "now")
        else:
            self._operate(found.instance_id, "resume")
        return False

    def _rewind(self, found: Orchestration) -> bool:
        if found.status == "Failed":
            self._operate(found.instance_id, "rewind")
        return found.status == "Completed"

    def _operate(self, instance_id: str, operation: str) -> None:
        self._host.request("POST", f"{WEBHOOK}/instances/{instance_id}/{operation}?reason=test")


def _has(found: Orchestration, kind: str) -> bool:
    return any(event["EventType"] == kind for event in found.history)


class Messages:
    """Messages for a function that takes them from a storage queue, over Service Bus, to a storage queue."""

    def __init__(self, storage_connection: str, data: Path, traces: Path) -> None:
        policy = TextBase64EncodePolicy()
        self._queues = [
            QueueClient.from_connection_string(storage_connection, name, message_encode_policy=policy)
            for name in ("crash-in", "crash-out")
        ]
        self._held = data / "queues"
        self._traces = traces
        self._sent: set[str] = set()
        for queue in self._queues:
            queue.create_queue()

    def send(self) -> None:
        """One more."""
        text = f"m{len(self._sent)}"
        self._queues[0].send_message(text)
        self._sent.add(text)

    def check(self, timeout: float = 60) -> None:
        """Raises AssertionError when one is lost: it has not come out, and is not kept back by its queue either.

        A host that was killed while the service handed it messages leaves them hidden for ten minutes, as in Azure.
        """
        deadline = time.monotonic() + timeout
        while (lost := self._sent - set(_lines(self._traces / "messages"))) and not self._are_kept(len(lost)):
            assert time.monotonic() < deadline, f"lost: {sorted(lost)}"
            time.sleep(0.05)

    def _are_kept(self, count: int) -> bool:
        hidden = 0
        for queue in self._queues:
            # Visible, or in the hands of the host: there is still something to come.
            if queue.peek_messages() or any((self._held / queue.queue_name).iterdir()):
                return False
            hidden += queue.get_queue_properties().approximate_message_count or 0
        return hidden >= count


class MissedTimer:
    """A timer function that missed a run while no host was there: made up for, and once that is kept, never again."""

    def __init__(self, data: Path, traces: Path) -> None:
        self._kept = data / "timers" / "nightly.json"
        self._traces = traces
        self._runs: dict[str, int] = {}
        self._due: str | None = None

    def miss_a_run(self) -> None:
        """To be called while no host runs."""
        if self._due is not None:
            return
        day = len(self._runs) + 1
        last, self._due = (f"2026-01-{one:02}T03:00:00.000000+00:00" for one in (day, day + 1))
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        self._kept.write_text(json.dumps({"Last": last, "Next": self._due, "LastUpdated": last}))

    def look(self) -> None:
        """To be called after a kill: once the run is kept, its number of runs stands."""
        if self._due is not None and json.loads(self._kept.read_text())["Next"] != self._due:
            self._runs[self._due] = _lines(self._traces / "timers").count(self._due)
            self._due = None

    def check(self, at_least: int) -> None:
        """Raises AssertionError when a run was lost, or came again after it had been kept."""
        seen = _lines(self._traces / "timers")
        assert len(self._runs) >= at_least
        assert {due: seen.count(due) for due in self._runs} == self._runs
        assert 0 not in self._runs.values()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
