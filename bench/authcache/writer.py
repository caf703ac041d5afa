"""One host of the benchmark of writes: `python -m bench.authcache.writer WRITERS PAUSE SECONDS STARTS_AT`; a JSON line.

Each writer registers one user after the other, and waits for each to be durable. No password is hashed. With a `PAUSE`
(seconds, 0 for none) each begins a write so long after it was to begin the last; what a write took is then counted from
when it was to begin, so that a host that falls behind cannot hide it.
"""

import asyncio
import gc
import json
import random
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from shared.authcache.log.users import UserCreated
from shared.authcache.store import store
from shared.authcache.writing.uniqueness import address_is_free
from shared.platform.stores.blobs import blob_service

WARM_UP_SECONDS = 1.0


async def write(pause: float, until: float, counted_from: float, took: list[float]) -> None:
    due = time.monotonic() + random.uniform(0, pause)
    while (now := time.monotonic()) < until:
        if pause and now < due:
            await asyncio.sleep(due - now)
        number = uuid4().hex
        address = f"{number}@example.com"
        record = UserCreated(
            at=datetime.now(UTC), id=number, email=address, address=address, first_name="Ann", last_name="Lee",
            password_hash="$argon2id$v=19$m=19456,t=2,p=1$" + "x" * 60,
        )  # fmt: skip
        began = due if pause else time.monotonic()
        due += pause
        await store().commit([record], check=address_is_free(address))
        # By its end: one that waited from the warm-up on is what tells that a host is kept from writing.
        if (ended := time.monotonic()) >= counted_from:
            took.append((ended - began) * 1000)


async def main(writers: int, pause: float, seconds: float, starts_at: float) -> dict[str, object]:
    await store().view()
    gc.freeze()  # as the app does when it has been imported
    await asyncio.sleep(max(0.0, starts_at - time.monotonic()))
    took: list[float] = []
    counted_from = time.monotonic() + WARM_UP_SECONDS
    until = counted_from + seconds
    await asyncio.gather(*(write(pause, until, counted_from, took) for _ in range(writers)))
    lsn = store().instance.now().lsn
    await blob_service().close()
    return {"took": took, "lsn": lsn}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), *map(float, sys.argv[2:])))))
