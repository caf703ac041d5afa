"""Histories of writers and readers on three hosts, of which one is killed and one cut off; and the checker of them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest

from tests.integration.shared.authcache.writing.linearisable import Operation, violations

ROOT = Path(__file__).parents[5]
SECONDS, KILLED_AFTER, CUT_AFTER = 7, 2.5, 2.0


def started(path, seed, cut=0.0):
    module = "tests.integration.shared.authcache.writing.host"
    arguments = [str(path), str(seed), str(SECONDS), str(cut)]
    environment = {**os.environ, "AUTHCACHE_REFRESH_SECONDS": "0.5", "AUTHCACHE_STALE_SECONDS": "2"}
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment)


def history(paths):
    """What the hosts wrote down; a call without an answer may have had its effect."""
    calls, answers = {}, {}
    for path in paths:
        for line in path.read_text().splitlines():
            try:
                noted = json.loads(line)
            except ValueError:  # it was killed in the middle of the line
                continue
            (answers if "answered" in noted else calls)[noted["id"]] = noted
    found = []
    for number, call in calls.items():
        answer = answers.get(number, {"answered": inf, "outcome": "unknown"})
        if answer["outcome"] == "nothing" or (call["kind"] == "read" and answer["outcome"] == "unknown"):
            continue
        fields = {name: call[name] for name in ("address", "kind", "called", "value", "stale") if name in call}
        found.append(Operation(**fields, answered=answer["answered"], outcome=answer["outcome"]))
    return found


async def test_histories_of_three_hosts_keep_the_promises(container, tmp_path):
    paths = [tmp_path / f"host{number}.jsonl" for number in range(4)]
    hosts = [started(paths[0], 1), started(paths[1], 2), started(paths[2], 3, CUT_AFTER)]
    try:
        async with asyncio.timeout(60):
            while not all(path.exists() and path.stat().st_size > 2000 for path in paths[:3]):  # noqa: ASYNC110 - files
                await asyncio.sleep(0.1)
        await asyncio.sleep(KILLED_AFTER)
        hosts[1].send_signal(signal.SIGKILL)
        hosts.append(started(paths[3], 4))
        codes = [await asyncio.to_thread(host.wait, 120) for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    assert codes == [0, -signal.SIGKILL, 0, 0]
    recorded = history(paths)
    kinds = [(one.kind, one.outcome) for one in recorded]
    assert kinds.count(("take", "done")) > 20
    assert kinds.count(("take", "taken")) > 20
    assert kinds.count(("free", "done")) > 20
    assert any(one.outcome == "unknown" for one in recorded)
    assert sum(one.stale is not None for one in recorded) > 50
    assert violations(recorded) == []


def take(called, answered, value, outcome="done"):
    return Operation("a", "take", called, answered, outcome, value)


def read(called, answered, outcome, stale=None):
    return Operation("a", "read", called, answered, outcome, stale=stale)


def free(called, answered):
    return Operation("a", "free", called, answered, "done")


@pytest.mark.parametrize(
    "wrong",
    [
        [take(0, 1, "x"), take(2, 3, "y")],
        [take(0, 1, "x"), read(2, 3, None)],
        [take(0, 1, "x"), free(2, 3), read(4, 5, "x")],
        [take(0, 1, "x", "taken")],
        [take(0, 5, "x"), read(1, 2, "x"), read(3, 4, None)],
        [take(0, 1, "x"), free(2, 3), read(10, 11, "x", stale=5)],
        [take(0, 1, "x"), read(10, 11, None, stale=5)],
        [read(0, 1, "x", stale=5)],
    ],
)
def test_a_history_that_breaks_a_promise_is_found(wrong):
    assert violations(wrong) != []


@pytest.mark.parametrize(
    "right",
    [
        [take(0, 4, "x"), take(1, 3, "y", "taken"), read(5, 6, "x")],
        [take(0, 1, "x"), free(2, 3), take(4, 5, "y"), read(6, 7, "y")],
        [take(0, 1, "x", "unknown"), read(2, 3, None), read(4, 5, "x")],
        [take(0, 1, "x"), free(2, 3), read(4, 5, "x", stale=5)],
        [take(0, 5, "x"), read(1, 2, None), read(3, 4, "x")],
    ],
)
def test_a_history_that_keeps_them_is_not(right):
    assert violations(right) == []
