"""The peer of writes: users put into the Iceberg table by pyiceberg's upsert: `... upserts SECONDS`; a line of JSON."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shared.authcache.base.format.pyarrow import pa
from shared.authcache.iceberg.catalog import catalog
from shared.authcache.settings import settings

SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("email", pa.string()), ("password_hash", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
    ]
)  # fmt: skip


def table() -> Any:
    """The table, made by whoever comes first."""
    catalog().create_namespace_if_not_exists(settings().authcache_namespace)
    return catalog().create_table_if_not_exists((settings().authcache_namespace, "upserted"), schema=SCHEMA)


def main(seconds: float, starts_at: float) -> dict[str, object]:
    table()
    time.sleep(max(0.0, starts_at - time.monotonic()))
    deadline = time.monotonic() + seconds
    took: list[float] = []
    failed = 0
    while time.monotonic() < deadline:
        number = uuid4().hex
        row = {
            "id": number,
            "email": f"{number}@example.com",
            "password_hash": "x" * 90,
            "created_at": datetime.now(UTC),
        }
        began = time.monotonic()
        try:
            table().upsert(pa.Table.from_pylist([row], schema=SCHEMA), join_cols=["id"])
        except Exception:  # noqa: BLE001 - whatever it raises, the user is not registered
            failed += 1
        else:
            took.append((time.monotonic() - began) * 1000)
    return {"took": took, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), float(sys.argv[2]))))
