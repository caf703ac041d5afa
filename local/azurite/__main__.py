"""Run Azurite until SIGTERM or Ctrl-C."""

import argparse
import os
import sys
from pathlib import Path

from local.azurite import KEY, KEY_VARIABLE, AzuriteError, Ports, azurite, check
from local.processes import stop_requested


def main() -> int:
    local = Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local.azurite", description=__doc__)
    parser.add_argument("--port", type=int, default=10000, help="port of blobs on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--queue-port", type=int, default=10001, help="port of queues (default %(default)s)")
    parser.add_argument("--table-port", type=int, default=10002, help="port of tables (default %(default)s)")
    parser.add_argument("--data", type=Path, default=local / "azurite", help="data folder (default %(default)s)")
    options = parser.parse_args()
    ports = Ports(options.port, options.queue_port, options.table_port)
    stopping = stop_requested()
    try:
        with azurite(options.data, ports, key=os.environ.get(KEY_VARIABLE, KEY)) as process:
            print(f"ready http://127.0.0.1:{ports.blob} blobs, {ports.queue} queues, {ports.table} tables", flush=True)  # noqa: T201 - the contract of every service
            while not stopping.wait(0.2):
                check(process)
    except AzuriteError as error:
        print(error, file=sys.stderr)  # noqa: T201 - one clear line instead of a traceback
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
