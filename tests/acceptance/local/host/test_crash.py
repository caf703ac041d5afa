"""A hundred `kill -9` at random moments over every durable pattern: nothing is lost and nothing is done twice."""

import json
import os
import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from local.host.client import Orchestration
from tests.acceptance.local.host.zygote import ForkedHost

KILLS = int(os.environ.get("CRASH_KILLS", "100"))
SEED = int(os.environ.get("CRASH_SEED", "20261121"))
LONGEST_LIFE_SECONDS = 0.5
RESULTS = {
    "chain": 10,
    "fan": 28,
    "retry": "done",
    "parent": [10, "done"],
    "timers": "fired",
    "race": [True, "now", 1],
    "again": 3,
    "tally": 15,
}


class Driver:
    """Starts orchestrations and sends events to a host that may die at any moment, each once as far as it can."""

    def __init__(self, host: ForkedHost) -> None:
        self.host = host
        self.started: dict[str, str] = {}
        self.waiting: set[str] = set()

    def start(self, pattern: str, instance_id: str) -> None:
        """Start it, if the hub does not know it: an answer may have been lost with the host."""
        if self.host.orchestration(instance_id) is None:
            self.host.start_orchestration(pattern, None, instance_id)
        self.started[instance_id] = pattern
        if pattern == "race":
            self.waiting.add(instance_id)

    def send_events(self) -> None:
        for instance_id in sorted(self.waiting):
            found = self.host.orchestration(instance_id)
            assert found is not None, f"{instance_id} was accepted and is lost"
            if not any(event["EventType"] == "EventRaised" for event in found.history):
                self.host.raise_event(instance_id, "go", "now")
            else:
                self.waiting.discard(instance_id)


def live(driver: Driver, number: int, rng: random.Random) -> None:
    """One life of the host: start some orchestrations, send events, and let it work until the kill."""
    deadline = time.monotonic() + rng.uniform(0, LONGEST_LIFE_SECONDS)
    patterns = rng.sample(sorted(RESULTS), 3)
    for pattern in patterns:
        driver.start(pattern, f"{pattern}-{number}")
        if time.monotonic() > deadline:
            return
    driver.send_events()
    time.sleep(max(0.0, deadline - time.monotonic()))


def check_turns(state: Path) -> None:
    """Once an orchestrator has been given a longer history, a shorter one never comes back: no turn is repeated."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for line in (state / "turns").read_text().splitlines():
        instance_id, execution_id, episodes = line.split()
        key = (instance_id, execution_id)
        assert int(episodes) >= seen[key], f"a completed turn of {instance_id} ran again: {line}"
        seen[key] = int(episodes)


def check_history(found: Orchestration) -> None:
    """Every timer fired once, every activity has one outcome, and the end came once."""
    kinds = [event["EventType"] for event in found.history]
    cancelled = 1 if found.instance_id.startswith("race-") else 0
    assert kinds.count("TimerFired") == kinds.count("TimerCreated") - cancelled, found
    assert kinds.count("ExecutionCompleted") == 1, found
    assert kinds.count("ExecutionStarted") == 1, found
    assert "TaskScheduled" not in kinds, found


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_a_hundred_kills_lose_nothing_and_repeat_nothing(apps: Path, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    state = tmp_path / "state"
    with ForkedHost(apps / "crash", tmp_path / "data", {"CRASH_STATE": str(state)}) as host:
        driver = Driver(host)
        for number in range(KILLS):
            host.start()
            live(driver, number, rng)
            host.kill()
        host.start()
        while driver.waiting:
            driver.send_events()
        for instance_id, pattern in driver.started.items():
            found = host.wait_for(instance_id, timeout=60)
            assert (found.status, found.output) == ("Completed", RESULTS[pattern]), found
            check_history(found)
            if pattern == "tally":
                state_now = host.request("GET", f"/runtime/webhooks/durabletask/entities/counter/{instance_id}")
                assert state_now.json() == 15, f"an operation of {instance_id} was applied twice or lost"
        running = host.request("GET", "/runtime/webhooks/durabletask/instances?runtimeStatus=Running,Pending")
        left = [one["instanceId"] for one in json.loads(running.body) if not one["instanceId"].startswith("@")]
        assert left == []
    check_turns(state)
    assert len(driver.started) > KILLS
