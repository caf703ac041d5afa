"""Azurite with a folder, a log and tables of one's own, for one benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.azurite import Ports, azurite, connection_string
from local.processes import free_ports
from shared.platform.settings import read_group

ROOT = Path(__file__).parents[2]


@contextmanager
def stage() -> Generator[Path]:
    """A folder; the environment names an Azurite in it, whose blobs are files, as in local use."""
    with tempfile.TemporaryDirectory(prefix="manifold-bench-") as name:
        folder, ports = Path(name), Ports(*free_ports(3))
        with azurite(folder / "azurite", ports):
            os.environ |= {
                "STORAGE_CONNECTION": connection_string(ports),
                "POSTGRES_DSN": "host=unused",
                "AUTHCACHE_FOLDER": str(folder / "own"),
                "AUTHCACHE_JWT_KEYS": "k" * 40,
            }
            read_group.cache_clear()
            yield folder


def process(module: str, *arguments: object, **environment: str) -> dict[str, Any]:
    """What a process of its own measured, which it prints as JSON in its last line."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])
