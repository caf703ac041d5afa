"""Serve the stand-in of a model provider until SIGTERM or Ctrl-C."""

import argparse
import sys

from starlette.applications import Starlette

from local.providers.embeddings import Embeddings
from local.providers.model import KEY, Model
from local.serving import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.providers", description=__doc__)
    parser.add_argument("--port", type=int, default=8700, help="TCP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--gullible", action="store_true", help="do what a text among the data says")
    parser.add_argument(
        "--looks", type=int, default=1, help="looks at a batch until it has ended (default %(default)s)"
    )
    options = parser.parse_args()
    ready = f"ready http://127.0.0.1:{options.port}/v1 a model; its key is {KEY}"
    embeddings = Embeddings()
    embeddings.batches.looks = options.looks
    app = Starlette(routes=[*Model(gullible=options.gullible).app().routes, *embeddings.routes()])
    return serve(app, options.port, ready)


if __name__ == "__main__":
    sys.exit(main())
