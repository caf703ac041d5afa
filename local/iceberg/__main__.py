"""Serve the catalog until SIGTERM or Ctrl-C."""

import argparse
import os
import sys
from pathlib import Path

from pyiceberg.catalog import load_catalog
from sqlalchemy.exc import DatabaseError

from local.host.core.database import unreadable
from local.host.core.folders import private_folder
from local.iceberg.app import create_app
from local.serving import serve


def main() -> int:
    local = Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local.iceberg", description=__doc__)
    parser.add_argument("--port", type=int, default=8181, help="port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--data", type=Path, default=local / "iceberg", help="data folder (default %(default)s)")
    parser.add_argument("--storage", required=True, help="connection string of the tables' storage account")
    parser.add_argument("--warehouse", default="abfss://iceberg/warehouse", help="place of the tables' files")
    options = parser.parse_args()
    file = private_folder(options.data) / "catalog.db"
    if file.exists() and not file.stat().st_size:
        sys.exit(unreadable(file, "catalog", "it is empty, as a full disk leaves a file"))
    parts = dict(part.split("=", 1) for part in options.storage.split(";") if part)
    try:
        catalog = load_catalog(
            "local",
            **{
                "type": "sql",
                "uri": f"sqlite:///{file}",
                "warehouse": options.warehouse,
                "py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO",
                "adls.connection-string": options.storage,
                "adls.account-name": parts["AccountName"],
                "adls.account-key": parts["AccountKey"],
            },
        )
    except DatabaseError as error:
        sys.exit(unreadable(file, "catalog", error.orig))
    return serve(create_app(catalog), options.port, f"ready http://127.0.0.1:{options.port} Iceberg catalog")


if __name__ == "__main__":
    sys.exit(main())
