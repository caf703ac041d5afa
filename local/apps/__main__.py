"""Build and run deployed apps on this machine until SIGTERM or Ctrl-C; apps are started again at the next start."""

import argparse
import os
import sys
from pathlib import Path

from local.apps.app import Ports, create_app
from local.apps.revisions.sockets import MESSAGE_BYTES
from local.apps.state import State
from local.apps.workspaces import Workspaces
from local.host.core.database import DatabaseUnusable
from local.serving import serve

_SHORTEST_TOKEN = 16


def main() -> int:
    local = Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local.apps", description=__doc__)
    parser.add_argument("--port", type=int, default=8500, help="TCP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--data", type=Path, default=local / "apps", help="folder of the apps (default %(default)s)")
    web = "TCP port for requests to custom domains, where it is free and allowed; 0: none (default %(default)s)"
    parser.add_argument("--web-port", type=int, default=0, help=web)
    options = parser.parse_args()
    token = os.environ.get("LOCAL_PLATFORM_TOKEN", "")  # not a flag: every user sees the flags of a process
    if len(token) < _SHORTEST_TOKEN:
        _complain(f"LOCAL_PLATFORM_TOKEN must be set, to {_SHORTEST_TOKEN} characters or more.")
        return 1
    try:
        workspaces = Workspaces(options.data)
        state = State(options.data)
    except DatabaseUnusable as error:
        _complain(str(error))
        return 1
    try:
        app = create_app(token, Ports(options.port, options.web_port), state, workspaces, _complain)
        return serve(app, options.port, f"ready http://127.0.0.1:{options.port}", largest_message=MESSAGE_BYTES)
    finally:
        state.close()


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a service logs to stderr


if __name__ == "__main__":
    sys.exit(main())
