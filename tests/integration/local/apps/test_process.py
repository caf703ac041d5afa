"""What a command may use, and what is said of one that uses more."""

import os
import sys

import pytest

from local.apps.process import Command, Ended, Process, ProcessLimits


@pytest.fixture
def run(tmp_path):
    """Runs a Python script within limits to its end: `await run("...", disk=1_000)`."""

    async def start(script: str, **limits) -> tuple[Ended, list[str]]:
        said: list[str] = []
        command = Command(
            words=(sys.executable, "-c", script),
            folder=tmp_path,
            disk_of=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            limits=ProcessLimits(**{"memory": 2**30, "seconds": 30, **limits}),
            uid=None,
            look_s=0.05,
        )
        return await (await Process.start(command, said.append)).wait(), said

    return start


WAIT = "; import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("print(1)" + WAIT, {"seconds": 0.3}, "it took longer than 0.3 s"),
        ("open('f', 'wb').write(b'1' * 3_000_000)" + WAIT, {"disk": 2_000_000, "disk_every_s": 0.1}, "more than 2 MB"),
        ("x = bytearray(b'1') * 200_000_000" + WAIT, {"memory": 2**27}, None),
        ("x = [bytearray(b'1') * 9_000_000 for _ in range(9)]" + WAIT, {"memory": 60_000_000}, None),
        ("while True: pass", {"cpu_s": 1}, "it used more than 1 s of CPU time"),
        ("open('f', 'wb').truncate(2_000_000)", {"file": 1_000_000}, None),
    ],
    ids=["time", "disk", "memory at once", "memory bit by bit", "CPU time", "a file"],
)
async def test_each_limit_ends_it(run, script, limits, reason):
    ended, said = await run(script, **limits)
    assert ended.code != 0
    if reason is not None:
        assert reason in ended.words
    else:
        assert "MemoryError" in said or "it used more than" in ended.words or "File too large" in said[-1]


async def test_what_stays_within_its_limits_is_left_alone(run):
    assert await run("print('done')", disk=1_000_000, cpu_s=5) == (Ended(0, None), ["done"])
