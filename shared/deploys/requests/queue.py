"""The queue of accepted deployments: its messages, and noting in the document that one was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

from pydantic import ConfigDict, Field

from shared.deploys.documents import store
from shared.deploys.models import DeploymentId, Name, Wire
from shared.platform.errors import TransientError
from shared.platform.messaging.servicebus import send

if TYPE_CHECKING:
    from shared.deploys.models import Deployment

DEPLOYMENTS = "deployments"
ATTEMPTS = 8
"""How often a message is tried while a service that it needs is unavailable: for about 28 minutes in all."""


class DeploymentMessage(Wire):
    """Which deployment to start, or to notify of a free slot. It holds neither parameters nor secrets."""

    model_config = ConfigDict(extra="ignore")
    deployment_id: DeploymentId
    organization_id: Name | None = None
    kind: Annotated[Literal["start", "slot"], Field(alias="what")] = "start"
    attempt: Annotated[int, Field(ge=1, description="Tries of this message, this one included")] = 1


async def enqueue(deployment: Deployment, *, again: bool = False) -> bool:
    """Send the deployment to be started and note that in its document. False: the queue did not accept it.

    Repeated within the queue's window, the message is dropped there: its id is the deployment's. What is sent `again`,
    as the first may be lost, has an id of its own, or the window would swallow it; the claim lets only one work.
    """
    message = DeploymentMessage(deployment_id=deployment.id, organization_id=deployment.organization_id)
    message_id = f"{deployment.id}~{uuid4().hex}" if again else deployment.id
    try:
        await send(DEPLOYMENTS, message.model_dump_json(by_alias=True), message_id=message_id)
    except TransientError:
        return False
    await store.change(
        deployment.id,
        deployment.organization_id,
        lambda document, _: document.model_copy(update={"sent_at": datetime.now(UTC)}),
    )
    return True


async def postpone(message: DeploymentMessage) -> timedelta | None:
    """Have the message delivered again in min(2^n x 30, 300) seconds (facts of the system being replaced).

    How long that is; None if it was tried often enough, so that it shall end among the dead letters.

    Raises:
        TransientError: the queue did not accept it.
    """
    if message.attempt >= ATTEMPTS:
        return None
    later = timedelta(seconds=min(2**message.attempt * 30, 300))
    following = message.model_copy(update={"attempt": message.attempt + 1})
    await send(
        DEPLOYMENTS,
        following.model_dump_json(by_alias=True),
        message_id=f"{message.deployment_id}~{uuid4().hex}",
        after=later,
    )
    return later


async def send_slot_free(deployment_id: str, *, released: str) -> None:
    """Let the orchestration of a waiting deployment ask now for the slot that the deployment `released` held."""
    message = DeploymentMessage(deployment_id=deployment_id, kind="slot")
    await send(
        DEPLOYMENTS,
        message.model_dump_json(by_alias=True),
        message_id=f"{deployment_id}~{released}",
    )
