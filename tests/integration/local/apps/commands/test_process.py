"""What a command may use, and what is said of one that uses more."""

import os
import sys
from pathlib import Path

import pytest

from local.apps.commands import launcher
from local.apps.commands.process import Command, Ended, Process, ProcessLimits


@pytest.fixture
def run_words(tmp_path):
    """Runs a command within limits to its end: `await run_words(("echo", "1"), disk=1_000)`."""

    async def start(words: tuple[str, ...], uid: int | None = None, **limits) -> tuple[Ended, list[str]]:
        output: list[str] = []
        command = Command(
            words=words,
            folder=tmp_path,
            disk_of=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            limits=ProcessLimits(**{"memory": 2**30, "seconds": 30, **limits}),
            uid=uid,
            look_seconds=0.05,
        )
        return await (await Process.start(command, output.append)).wait(), output

    return start


@pytest.fixture
def run(run_words):
    """Runs a Python script within limits to its end: `await run("...", disk=1_000)`."""

    async def start(script: str, **limits) -> tuple[Ended, list[str]]:
        return await run_words((sys.executable, "-c", script), **limits)

    return start


WAIT = "; import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("print(1)" + WAIT, {"seconds": 0.3}, "it took longer than 0.3 s"),
        (
            "open('f', 'wb').write(b'1' * 3_000_000)" + WAIT,
            {"disk": 2_000_000, "disk_every_seconds": 0.1},
            "more than 2 MB",
        ),
        ("x = bytearray(b'1') * 200_000_000" + WAIT, {"memory": 2**27}, None),
        ("x = [bytearray(b'1') * 9_000_000 for _ in range(9)]" + WAIT, {"memory": 60_000_000}, None),
        ("open('f', 'wb').truncate(2_000_000)", {"file": 1_000_000}, None),
    ],
    ids=["time", "disk", "memory at once", "memory bit by bit", "a file"],
)
async def test_each_limit_ends_it(run, script, limits, reason):
    ended, output = await run(script, **limits)
    assert ended.code != 0
    if reason is not None:
        assert reason in ended.words
    else:
        assert "MemoryError" in output or "it used more than" in ended.words or "File too large" in output[-1]


@pytest.mark.parametrize("ended_before", [False, True])
async def test_defect_processes_side_by_side_have_each_the_whole_share_of_cpu(run, ended_before):
    """What ended before counts as well: many short processes are one long one."""
    burn = "import time; end = time.monotonic() + {}; sum(iter(lambda: time.monotonic() > end, True))"
    one, times = (burn.format(0.2), 8) if ended_before else (burn.format(3), 1)
    work = f"""
import os, subprocess, sys, time
began = time.monotonic()
for _ in range({times}):
    for one in [subprocess.Popen([sys.executable, "-c", {one!r}]) for _ in range(2)]:
        one.wait()
print(os.times().children_user + os.times().children_system, time.monotonic() - began)
"""
    ended, [output] = await run(work, cores=0.1)
    used, seconds = map(float, output.split())
    assert ended.code == 0
    # What it saved up before, and what two cores do until it is looked at.
    assert used < 0.1 * seconds + 0.1 + 0.7


async def test_who_is_paused_can_be_stopped(run):
    ended, _ = await run("while True: pass", cores=0.01, seconds=1)
    assert "it took longer than 1 s" in ended.words


async def test_what_stays_within_its_limits_is_left_alone(run):
    assert await run("print('done')", disk=1_000_000, cores=2) == (Ended(0, None), ["done"])


UNREADABLE = """
import os, sys

class Unreadable:
    def find_spec(self, name, path=None, target=None):
        raise ModuleNotFoundError(f"the app's user cannot read {name}")

os.setgroups = os.setgid = lambda _: None
os.setuid = lambda _: sys.meta_path.insert(0, Unreadable())
exec(compile(open(LAUNCHER).read(), LAUNCHER, "exec"))
"""


@pytest.fixture
def unreadable_python(tmp_path, monkeypatch):
    """Commands are started as by a platform whose Python their user cannot read."""
    wrapper = tmp_path / "launcher.py"
    wrapper.write_text(f"LAUNCHER = {str(Path(launcher.__file__))!r}\n{UNREADABLE}")
    monkeypatch.setattr("local.apps.commands.process._LAUNCHER", wrapper)


@pytest.mark.usefixtures("unreadable_python")
@pytest.mark.parametrize(
    ("words", "ended", "output"),
    [
        (("echo", "here"), Ended(0, None), "here"),
        (("/bin/echo", "here"), Ended(0, None), "here"),
        (("no-such-program",), Ended(127, None), "no-such-program could not be started: No such file or directory"),
        (("/etc/passwd",), Ended(127, None), "/etc/passwd could not be started: Permission denied"),
        (("echo", "\0"), Ended(127, None), "echo could not be started: ValueError('embedded null byte')"),
    ],
    ids=["on the path", "a path", "missing", "not a program", "not a word"],
)
async def test_defect_an_app_starts_though_its_user_cannot_read_the_platforms_python(run_words, words, ended, output):
    """Python under /root, as pyenv puts it there, and an app that has a user of its own."""
    assert await run_words(words, uid=os.getuid()) == (ended, [output])
