"""Serve the stand-in of Azure until SIGTERM or Ctrl-C; the lines after `ready` are the environment of an app."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.arm.cloud import Cloud
from local.arm.servers import serving
from local.processes import port_in_use


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.arm", description=__doc__)
    add: Any = parser.add_argument
    add("--port", type=int, default=8600, help="TCP port on 127.0.0.1 (default %(default)s)")
    add("--seconds", type=float, default=2, help="how long builds and writes take (default %(default)s)")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="manifold-arm-") as folder:
        async with serving(Cloud(seconds=options.seconds, retry_after=1), Path(folder), options.port) as known:
            lines = [f"{name}={value}" for name, value in known.environment.items()]
            sys.stdout.write("\n".join([f"ready {known.endpoint} resource manager", *lines, ""]))
            sys.stdout.flush()
            await stop.wait()


def main() -> int:
    options = _options()
    if port_in_use(options.port):
        sys.stderr.write(f"Port {options.port} is in use. Stop what uses it or pass --port.\n")
        return 1
    asyncio.run(_serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
