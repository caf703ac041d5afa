"""A fold of many changes in a process of its own, whose memory is counted: `python -m bench.authcache.folder USERS`.

It prints a line of JSON.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from bench.authcache.keys import user_id
from bench.memory import peak_from_now
from shared.authcache.folding.exporting import append_table
from shared.authcache.folding.folding import fold_log
from shared.authcache.folding.steps import TableTask
from shared.authcache.iceberg.tables import KEPT_IN_ICEBERG
from shared.authcache.log.users import UserChanged, UserCreated
from shared.authcache.store import store
from shared.platform.stores.blobs import blob_service

CHANGES = 10_000
FOLD_MEGABYTES = 200
"""That their fold may take, mapped index files and all, beside what the process has: 90 measured."""
_TOGETHER = 500


async def write(users: int) -> None:
    """As many changes as new users."""
    now = datetime.now(UTC)
    for first in range(0, CHANGES, _TOGETHER):
        numbers = range(first, first + _TOGETHER // 2)
        changed = [UserChanged(at=now, user=user_id(one * 31 % users), last_name="New") for one in numbers]
        new = [
            UserCreated(
                at=now, id=str(uuid4()), email=f"n{one}@example.com", address=f"n{one}@example.com",
                first_name="A", last_name="B", password_hash="$argon2id$v=19$m=19456,t=2,p=1$" + "x" * 60,
            )
            for one in numbers
        ]  # fmt: skip
        await store().commit([*changed, *new])


async def measured(users: int) -> dict[str, float]:
    await write(users)
    while not store().instance.local:  # noqa: ASYNC110 - it is a measurement, and nothing else runs here
        await asyncio.sleep(0.05)
    began, cpu, peak = time.perf_counter(), time.process_time(), peak_from_now()
    done = await fold_log()
    folded = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": float(peak())}
    began = time.perf_counter()
    for name in KEPT_IN_ICEBERG:
        await append_table(TableTask(table=name, lsn=done.lsn or 0))
    folded["appended"] = time.perf_counter() - began
    await blob_service().close()
    return folded


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(int(sys.argv[1])))))
