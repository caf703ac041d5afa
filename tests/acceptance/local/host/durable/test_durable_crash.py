"""A hundred `kill -9` at random moments over every pattern and trigger: nothing is lost and nothing is done twice."""

import json
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.host.testing.client import Orchestration
from local.servicebus.testing import running
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.local.host.durable.crash_load import RESULTS, WEBHOOK, Messages, MissedTimer, Orchestrations

KILLS = int(os.environ.get("CRASH_KILLS", "100"))
SEED = int(os.environ.get("CRASH_SEED", "20261121"))
LONGEST_LIFE_SECONDS = 0.5


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Nothing."""


@pytest.fixture
def environment(tmp_path: Path, storage_connection: str) -> Iterator[dict[str, str]]:
    """The services around the crash app, and where it leaves its traces."""
    with (
        running(tmp_path / "bus", ["crash,lock=PT5S,max-delivery=100"]) as bus,
        ThreadingHTTPServer(("127.0.0.1", 0), _Web) as web,
    ):
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield {
            "CRASH_STATE": str(tmp_path / "state"),
            "CRASH_URL": f"http://127.0.0.1:{web.server_port}",
            "Storage": storage_connection,
            "Bus": bus.connection_string,
            "WEBSITE_TIME_ZONE": "UTC",
        }
        web.shutdown()


def live(orchestrations: Orchestrations, messages: Messages, number: int, rng: random.Random) -> None:
    """One life of the host: start some orchestrations, do what they wait for, and let it work until the kill."""
    deadline = time.monotonic() + rng.uniform(0, LONGEST_LIFE_SECONDS)
    messages.send()
    *first, last = rng.sample(sorted(RESULTS), 3)
    for pattern in first:
        orchestrations.start(pattern, f"{pattern}-{number}")
        if time.monotonic() > deadline:
            return
    orchestrations.signal()
    orchestrations.attend()
    time.sleep(max(0.0, deadline - time.monotonic()))
    orchestrations.start(last, f"{last}-{number}")  # the kill finds at least this one under way


def check_turns(state: Path) -> None:
    """Once an orchestrator has been given a longer history, a shorter one never comes back: no turn is repeated."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for line in (state / "turns").read_text().splitlines():
        instance_id, execution_id, episodes = line.split()
        key = (instance_id, execution_id)
        assert int(episodes) >= seen[key], f"a completed turn of {instance_id} ran again: {line}"
        seen[key] = int(episodes)


def check_history(found: Orchestration, pattern: str) -> None:
    """Every timer fired once, every activity has one outcome, and the end came once."""
    kinds = [event["EventType"] for event in found.history]
    cancelled = 1 if pattern in {"race", "nested"} else 0
    assert kinds.count("TimerFired") == kinds.count("TimerCreated") - cancelled, found
    assert kinds.count("ExecutionCompleted") == 1, found
    assert kinds.count("ExecutionStarted") == 1, found
    assert "TaskScheduled" not in kinds, found


def check_outcomes(host: ForkedHost, orchestrations: Orchestrations) -> None:
    """Everything started has ended as it must, and nothing else is there."""
    for instance_id, pattern in orchestrations.started.items():
        found = host.wait_for(instance_id, timeout=60)
        assert (found.status, found.output) == ("Completed", RESULTS[pattern]), found
        check_history(found, pattern)
        if pattern == "tally":
            total = host.request("GET", f"{WEBHOOK}/entities/counter/{instance_id}").json()
            assert total == 15, f"an operation of {instance_id} was applied twice or lost"
    assert host.request("GET", f"{WEBHOOK}/entities/counter/signals").json() == orchestrations.signals
    running = host.request("GET", f"{WEBHOOK}/instances?runtimeStatus=Running,Pending,Suspended")
    assert [one["instanceId"] for one in json.loads(running.body) if not one["instanceId"].startswith("@")] == []


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_a_hundred_kills_lose_nothing_and_repeat_nothing(
    apps: Path, tmp_path: Path, environment: dict[str, str], storage_connection: str
) -> None:
    rng = random.Random(SEED)
    state, data = tmp_path / "state", tmp_path / "data"
    messages, timer = Messages(storage_connection, data, state), MissedTimer(data, state)
    host = ForkedHost(apps / "crash", data, environment=environment)
    try:
        orchestrations = Orchestrations(host)
        struck = 0
        for number in range(KILLS):
            if number % 5 == 0:
                timer.miss_a_run()
            host.start()
            live(orchestrations, messages, number, rng)
            host.kill()
            struck += host.unfinished() != []
            timer.look()
        host.start()
        for _ in range(5):
            messages.send()
        deadline = time.monotonic() + 60
        while orchestrations.attend():
            assert time.monotonic() < deadline
        check_outcomes(host, orchestrations)
        messages.check()
    finally:
        host.kill()
    check_turns(state)
    timer.check(KILLS // 20)
    assert struck > 0.9 * KILLS, "most kills find orchestrations that have not ended"
    assert len(orchestrations.started) > KILLS
