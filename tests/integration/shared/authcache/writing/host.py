"""One host of a recorded history: `python -m tests.integration.shared.authcache.writing.host FILE SEED SECONDS CUT`.

It takes and frees addresses and reads who has them, and writes down each call before it is made and each answer. From
CUT seconds on (0: never) it is cut off from the blobs for longer than it may answer.
"""

import asyncio
import json
import random
import sys
import time
import uuid
from pathlib import Path

from shared.authcache.log import groups
from shared.authcache.log.users import UserDeleted
from shared.authcache.reading import instance
from shared.authcache.settings import settings
from shared.authcache.store import Store
from shared.authcache.writing import committing
from shared.authcache.writing.uniqueness import address_is_free
from shared.platform.errors import Conflict, TransientError
from tests.integration.shared.authcache.conftest import now, registered

ADDRESSES = [f"user{number}@example.com" for number in range(6)]
TASKS = 6
CUT_SECONDS = 3.0


class Recorder:
    def __init__(self, path):
        self.file = Path(path).open("a", buffering=1)  # noqa: SIM115 - open for as long as the process lives

    def note(self, **fields):
        self.file.write(json.dumps(fields) + "\n")


async def work(store, notes, chance, until, stale):
    while time.monotonic() < until:
        await noted(store, notes, chance.choice(ADDRESSES), chance.choice(["take", "free", "read", "old"]), stale)
        await asyncio.sleep(chance.random() * 0.05)


async def noted(store, notes, address, kind, stale):
    """Make one call, and write it down; its outcome."""
    number = uuid.uuid4().hex
    operation = {"id": number, "address": address, "kind": "read" if kind == "old" else kind}
    operation |= {"stale": stale} if kind == "old" else {}
    record = registered(address)
    operation |= {"value": record.id} if kind == "take" else {}
    notes.note(**operation, called=time.monotonic())
    try:
        outcome = await run(store, kind, address, record)
    except Conflict:
        outcome = "taken" if kind == "take" else "nothing"
    except TransientError as error:
        outcome = "unknown" if error.code == "commit-unknown" else "nothing"
    notes.note(id=number, answered=time.monotonic(), outcome=outcome)
    return outcome


async def run(store, kind, address, record):
    if kind == "take":
        await store.commit([record], check=address_is_free(address))
        return "done"
    if kind == "free":
        user = await (await store.view()).user_by_address(address)
        if user is None:
            return "nothing"

        async def still_theirs(view):
            found = await view.user_by_address(address)
            if found is None or found.id != user.id:
                raise Conflict("It is somebody else's.")

        await store.commit([UserDeleted(at=now(), user=user.id)], check=still_theirs)
        return "done"
    if kind == "read":
        await store.instance.refresh()
    found = await (await store.view()).user_by_address(address)
    return found.id if found else None


async def cut_off(store, notes, after):
    """Let nothing of the blobs reach this process for a while; what it writes may arrive all the same.

    Till it refuses to write upon what it knows, it takes addresses that nobody else wants, so that some calls are not
    answered however slow the machine is.
    """
    await asyncio.sleep(after)
    read, create = groups.read_group, groups.create_group

    async def no_answer(*_):
        raise TransientError("The blobs do not answer.", code="storage-unavailable")

    async def lost_answer(lsn, group):
        await create(lsn, group)
        raise TransientError("The blobs do not answer.", code="storage-unavailable")

    instance.read_group = committing.read_group = no_answer
    committing.create_group = lost_answer
    until = time.monotonic() + CUT_SECONDS
    number = 0
    while time.monotonic() < until:
        number += 1
        await noted(store, notes, f"own{number}@example.com", "take", 0)
        await asyncio.sleep(0.05)
    instance.read_group = committing.read_group = read
    committing.create_group = create


async def main(path, seed, seconds, cut):
    store, notes, chance = Store(), Recorder(path), random.Random(seed)
    known = settings()
    stale = known.authcache_stale_seconds if cut else known.authcache_refresh_seconds
    until = time.monotonic() + seconds
    others = [cut_off(store, notes, cut)] if cut else []
    await asyncio.gather(*(work(store, notes, chance, until, stale) for _ in range(TASKS)), *others)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
