"""What a process and its children have spent."""

import os
import subprocess
import sys

from bench.cpu import cpu_seconds
from tests.present import present

BURN = "import time\nwhile time.process_time() < {}: pass\nprint(flush=True)\ninput()"


def burning(seconds: float) -> subprocess.Popen[str]:
    """A process that has spent so many CPU seconds and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", BURN.format(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    present(process.stdout).readline()
    return process


def test_running_and_ended_children_count():
    before = cpu_seconds(os.getpid())
    running, ended = burning(0.3), burning(0.2)
    alive = cpu_seconds(os.getpid()) - before
    ended.communicate("\n")
    # Ticks of 10 ms, whose differences may be a little less as floats.
    assert cpu_seconds(running.pid) > 0.285
    assert alive > 0.475
    assert cpu_seconds(os.getpid()) - before > 0.475
    running.communicate("\n")
