"""Clients are kept for as long as their event loop: in Azure a process ends with them, here each test has a loop."""

import asyncio

from shared.authcache import store as authcache
from shared.authcache.reading.instance import Instance
from shared.authcache.store import Store
from shared.platform.messaging import servicebus
from shared.platform.stores import cosmos


async def close_cosmos() -> None:
    """Close this loop's client of Cosmos DB, if it has one."""
    account = cosmos._accounts.pop()
    if account is not None:
        await account.client.close()


async def close_store(store: Store | None = None) -> None:
    """Finish what this store of the auth cache is writing, and end its looks; without a store: this loop's, if any."""
    store = store or authcache._stores.pop()
    if store is not None:
        if store._committer._working is not None:
            await asyncio.gather(store._committer._working, return_exceptions=True)
        await close_instance(store.instance)


async def close_instance(instance: Instance) -> None:
    """End the looks of this instance of the auth cache at its log and base."""
    for task in (instance._watching, instance._looking, instance._fetching):
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def close_servicebus() -> None:
    """Close this loop's client of Service Bus and its senders, if it has one."""
    for held in servicebus._senders.get().values():
        await held.sender.close()
    servicebus._senders.pop()
    client = servicebus._clients.pop()
    if client is not None:
        await client.close()
