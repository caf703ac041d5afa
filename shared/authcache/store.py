"""The store: what routes and activities read and write users, shares, sessions and the rest through."""

from __future__ import annotations

from collections.abc import Sequence

from shared.authcache.log.groups import Lsn
from shared.authcache.log.records import Record
from shared.authcache.reading.instance import Instance
from shared.authcache.reading.view import View
from shared.authcache.writing.committing import Committer
from shared.authcache.writing.uniqueness import Check
from shared.platform.per_loop import PerLoop


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


_stores = PerLoop(Store)


def store() -> Store:
    """This event loop's store, made when first asked for."""
    return _stores.get()
