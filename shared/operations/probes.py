"""The probes of what every workload stands on."""

from __future__ import annotations

from shared.platform.calls.authorities import authorities
from shared.platform.credentials import credential
from shared.platform.health import Check
from shared.platform.messaging.servicebus import known_queues
from shared.platform.settings import settings
from shared.platform.stores.postgres import database


async def _postgres() -> None:
    async with database() as connection:
        await connection.execute("SELECT 1")


async def _servicebus() -> None:
    from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 - loads at the first probe, not at the start

    config, trusted = settings(), authorities("amqp")
    if config.servicebus:
        connection = config.servicebus.get_secret_value()
        client = ServiceBusClient.from_connection_string(connection, retry_total=0, ssl_context=trusted)
    else:
        namespace = config.servicebus_namespace or ""
        client = ServiceBusClient(namespace, credential(), retry_total=0, ssl_context=trusted)
    # Opening a link proves the network, the identity and the queue; nothing is sent.
    async with client, client.get_queue_sender(known_queues()[0]):
        pass


def _has_servicebus() -> bool:
    return bool(settings().servicebus or settings().servicebus_namespace)


POSTGRES = Check("postgres", _postgres)
SERVICE_BUS = Check("servicebus", _servicebus, needed=_has_servicebus)
