"""What starts deployments: the queue."""

import asyncio
import logging
from typing import Any

import azure.functions as func

from orchestrators.deploys.deployment import SLOT, deployment
from shared.deploys import queue, store
from shared.deploys.models import Deployment, DeploymentStatus
from shared.deploys.queue import DEPLOYMENTS, DeploymentMessage
from shared.deploys.steps import DeploymentRef, Nothing
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.errors import Conflict, InvalidInput, NotFound, TransientError

logger = logging.getLogger(__name__)
functions = new_blueprint()

LOOKS = 5
LOOK_SECONDS = 0.4


@functions.service_bus_queue_trigger(arg_name="message", queue_name=DEPLOYMENTS, connection="ServiceBus")
@functions.durable_client_input(client_name="client")
async def deploys_message(message: func.ServiceBusMessage, client: Any) -> None:
    """A message {deploymentId, organizationId} starts a deployment, once, however often it is delivered."""
    await _receive(_read(message), DurableClient(client))


async def _receive(asked: DeploymentMessage, client: DurableClient) -> None:
    """Act on the message; one whose database or engine is away comes back later, more and more patiently.

    The broker's own deliveries follow one another at once, so a hiccup of seconds would use them up.
    """
    try:
        await _act(asked, client)
    except TransientError as error:
        later = await queue.postpone(asked)
        if later is None:
            raise
        extra = {"deployment": asked.deployment_id, "attempt": asked.attempt, "seconds": later.total_seconds()}
        logger.warning("A deployment's message is tried again later: %s", error, extra=extra)


async def _act(asked: DeploymentMessage, client: DurableClient) -> None:
    if asked.what == "slot":
        await _tell(client, asked.deployment_id)
        return
    found = await _document(asked)
    if found.status is not DeploymentStatus.QUEUED or found.claimed_by is not None:
        logger.info("A repeated delivery of a deployment.", extra={"deployment": found.id, "status": str(found.status)})
        return
    request = DeploymentRef(deployment_id=found.id, organization_id=found.organization_id)
    try:
        await client.start(deployment, request, instance_id=found.id)
    except Conflict:
        logger.info("The deployment is running already.", extra={"deployment": found.id})


async def _document(asked: DeploymentMessage) -> Deployment:
    """The state document. It was written before the message; another replica of the database may be a moment behind.

    Raises:
        NotFound: there is none, so the message ends among the dead letters.
    """
    for _ in range(LOOKS):
        found = await store.find(asked.deployment_id, asked.organization_id)
        if found is not None:
            return found
        await asyncio.sleep(LOOK_SECONDS)
    raise NotFound(f"There is no deployment {asked.deployment_id}.", code="unknown-deployment")


async def _tell(client: DurableClient, deployment_id: str) -> None:
    try:
        await client.raise_event(deployment_id, SLOT, Nothing())
    except (NotFound, Conflict):
        logger.info("The deployment does not wait any more.", extra={"deployment": deployment_id})


def _read(message: func.ServiceBusMessage) -> DeploymentMessage:
    try:
        return DeploymentMessage.model_validate_json(message.get_body())
    except ValueError:
        # Not repeated here: who knows what somebody put into the queue.
        raise InvalidInput(
            "A message on the queue deployments cannot be read.", remedy="Send JSON {deploymentId, organizationId}."
        ) from None
