"""Clients are kept for as long as their event loop: in Azure a process ends with them, here each test has a loop."""

from shared.platform.messaging import servicebus
from shared.platform.stores import cosmos


async def close_cosmos() -> None:
    """Close this loop's client of Cosmos DB, if it has one."""
    account = cosmos._accounts.pop()
    if account is not None:
        await account.client.close()


async def close_servicebus() -> None:
    """Close this loop's client of Service Bus and its senders, if it has one."""
    for held in servicebus._senders.get().values():
        await held.sender.close()
    servicebus._senders.pop()
    client = servicebus._clients.pop()
    if client is not None:
        await client.close()
