"""The queue that starts deployments and notifies those that wait for a slot."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import azure.functions as func

from orchestrators.deploys.deployment import deployment
from orchestrators.deploys.waiting import SLOT
from shared.deploys.documents import store
from shared.deploys.models import Deployment, DeploymentStatus
from shared.deploys.requests import queue
from shared.deploys.requests.queue import DEPLOYMENTS, DeploymentMessage
from shared.deploys.running.steps import DeploymentRef
from shared.platform.durable import DurableClient, Nothing, hub_name, new_blueprint
from shared.platform.errors import Conflict, InvalidInput, NotFound, TransientError

logger = logging.getLogger(__name__)
functions = new_blueprint()

READS = 5
READ_SECONDS = 0.4


@functions.service_bus_queue_trigger(arg_name="message", queue_name=DEPLOYMENTS, connection="ServiceBus")
@functions.durable_client_input(client_name="client")
async def deploys_message(message: func.ServiceBusMessage, client: Any) -> None:
    """A message {deploymentId, organizationId} starts a deployment, once, however often it is delivered."""
    await _receive(_read(message), DurableClient(client))


async def _receive(message: DeploymentMessage, client: DurableClient) -> None:
    """Act on the message; while a service that it needs is unavailable, it is delivered again with growing delays.

    The broker's own deliveries follow one another at once, so a hiccup of seconds would use them up.
    """
    try:
        await _act(message, client)
    except TransientError as error:
        later = await queue.postpone(message)
        if later is None:
            raise
        extra = {"deployment": message.deployment_id, "attempt": message.attempt, "seconds": later.total_seconds()}
        logger.warning("A deployment's message is tried again later: %s", error, extra=extra)


async def _act(message: DeploymentMessage, client: DurableClient) -> None:
    if message.kind == "slot":
        await _notify(client, message.deployment_id)
        return
    accepted = await _document(message)
    if accepted.status is not DeploymentStatus.QUEUED or accepted.claimed_by is not None:
        logger.info(
            "The message of a deployment that has begun already was delivered again.",
            extra={"deployment": accepted.id, "status": str(accepted.status)},
        )
        return
    ref = DeploymentRef(deployment_id=accepted.id, organization_id=accepted.organization_id, hub=await hub_name(client))
    await client.start_if_idle(deployment, ref, instance_id=accepted.id)


async def _document(message: DeploymentMessage) -> Deployment:
    """The state document. It was written before the message; another replica of the database may be a moment behind.

    Raises:
        NotFound: there is none, so the message ends among the dead letters.
    """
    for _ in range(READS):
        document = await store.find(message.deployment_id, message.organization_id)
        if document is not None:
            return document
        await asyncio.sleep(READ_SECONDS)
    raise store.unknown_deployment(message.deployment_id)


async def _notify(client: DurableClient, deployment_id: str) -> None:
    try:
        await client.raise_event(deployment_id, SLOT, Nothing())
    except (NotFound, Conflict):
        logger.info(
            "A deployment that was given a slot does not wait for it any more.", extra={"deployment": deployment_id}
        )


def _read(message: func.ServiceBusMessage) -> DeploymentMessage:
    try:
        return DeploymentMessage.model_validate_json(message.get_body())
    except ValueError:
        # Its content is not logged: anything may have been put into the queue.
        raise InvalidInput(
            "A message on the queue deployments cannot be read.", remedy="Send JSON {deploymentId, organizationId}."
        ) from None
