"""Serve the stand-in of Azure's resource manager until SIGTERM or Ctrl-C."""

import argparse
import sys
from typing import Any

from local.arm.app import application
from local.arm.cloud import Cloud
from local.serving import serve


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.arm", description=__doc__)
    add: Any = parser.add_argument
    add("--port", type=int, default=8600, help="TCP port on 127.0.0.1 (default %(default)s)")
    add("--seconds", type=float, default=2, help="how long builds and writes take (default %(default)s)")
    return parser.parse_args()


def main() -> int:
    options = _options()
    cloud = Cloud(seconds=options.seconds, retry_after=1)
    return serve(application(cloud), options.port, f"ready http://127.0.0.1:{options.port} resource manager")


if __name__ == "__main__":
    sys.exit(main())
