"""The peers of the benchmarks, in an environment of their own: their dependencies are not ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.report import console

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-bench"
WANTED = ROOT / "requirements-bench.txt"


def peer_python() -> Path:
    """The interpreter of the peers' environment, which is made or brought up to date first."""
    python, mark = PEERS / "bin" / "python", PEERS / ".installed"
    if mark.exists() and mark.stat().st_mtime >= WANTED.stat().st_mtime:
        return python
    console.print("Installing the peers into .venv-bench ...")
    subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "pip", "install", "--quiet", "--python", str(python), "-r", str(WANTED)], check=True)
    mark.touch()
    return python
