"""Run PostgreSQL until SIGTERM or Ctrl-C."""

import argparse
import os
import sys
from pathlib import Path

from local.postgres import PostgresError, server
from local.processes import stop_requested


def main() -> int:
    local = Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local.postgres", description=__doc__)
    parser.add_argument("--port", type=int, default=54320, help="TCP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--data", type=Path, default=local / "postgres", help="data folder (default %(default)s)")
    options = parser.parse_args()
    stopping = stop_requested()
    try:
        with server(options.data, options.port) as running:
            print(f"ready {running.dsn} data {running.data}", flush=True)  # noqa: T201 - the contract of every service
            while not stopping.wait(0.2):
                running.check()
    except PostgresError as error:
        print(error, file=sys.stderr)  # noqa: T201 - one clear line instead of a traceback
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
