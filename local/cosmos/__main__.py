"""`python -m local.cosmos`: serve an account until a signal stops it."""

import argparse
import base64
import binascii
import os
import sys
from pathlib import Path

from local.cosmos.rest.app import application
from local.cosmos.rest.signature import EMULATOR_KEY, KEY_VARIABLE
from local.cosmos.store import Store
from local.host.core.database import DatabaseUnusable
from local.processes import LOOPBACK
from local.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser("python -m local.cosmos", description="A stand-in for Azure Cosmos DB for NoSQL.")
    parser.add_argument("--port", type=int, default=8081, help="HTTP without TLS, on loopback (%(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps the documents")
    parser.add_argument(
        "--key",
        default=os.environ.get(KEY_VARIABLE, EMULATOR_KEY),
        help=f"the master key, or {KEY_VARIABLE}; Microsoft's emulator's unless given",
    )
    options = parser.parse_args()
    try:
        base64.b64decode(options.key, validate=True)
        store = Store(options.data)
    except binascii.Error:
        sys.exit("The key is no Base64 text: see --key.")
    except DatabaseUnusable as problem:
        sys.exit(str(problem))
    try:
        code = serve(application(store, options.key), options.port, f"ready http://{LOOPBACK}:{options.port}")
    finally:
        store.close()
    sys.exit(code)


if __name__ == "__main__":
    main()
