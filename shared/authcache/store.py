"""The store: what routes and activities read and write users, shares, sessions and the rest through."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
from shared.authcache.reading.instance import Instance
from shared.authcache.reading.view import View
from shared.authcache.writing.committing import Committer
from shared.authcache.writing.uniqueness import Check


class Store:
    """One per event loop; see `store`."""

    def __init__(self) -> None:
        self.instance = Instance()
        self._committer = Committer(self.instance)

    async def commit(self, records: Sequence[Record], *, check: Check | None = None) -> Lsn:
        """Make records durable, as `Committer.commit` says. What it returns goes into the answer and the token."""
        return await self._committer.commit(records, check=check)

    async def view(self, at_least: Lsn | None = None) -> View:
        """Rows not older than `at_least`, as `Instance.view` says."""
        return await self.instance.view(at_least)

    async def close(self) -> None:
        """Finish what is being written and look no more. For tests, and for a host that reloads the app."""
        await self._committer.close()
        await self.instance.close()


_stores: WeakKeyDictionary[asyncio.AbstractEventLoop, Store] = WeakKeyDictionary()


def store() -> Store:
    """This event loop's store, made when first asked for."""
    loop = asyncio.get_running_loop()
    found = _stores.get(loop)
    if found is None:
        found = _stores[loop] = Store()
    return found


async def close_store() -> None:
    """Close this loop's store, if it has one."""
    found = _stores.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()
