"""Serve the stand-in of a model provider until SIGTERM or Ctrl-C."""

import argparse
import sys

from local.providers.model import KEY, Model
from local.serving import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.providers", description=__doc__)
    parser.add_argument("--port", type=int, default=8700, help="TCP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--gullible", action="store_true", help="do what a text among the data says")
    options = parser.parse_args()
    ready = f"ready http://127.0.0.1:{options.port}/v1 a model; its key is {KEY}"
    return serve(Model(gullible=options.gullible).app(), options.port, ready)


if __name__ == "__main__":
    sys.exit(main())
