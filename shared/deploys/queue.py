"""The queue of accepted deployments: its messages, and when a document says that one was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict

from shared.deploys import store
from shared.deploys.models import DeploymentId, Name, Wire
from shared.platform.errors import TransientError
from shared.platform.servicebus import send
from shared.platform.settings import settings

if TYPE_CHECKING:
    from shared.deploys.models import Deployment


class DeploymentMessage(Wire):
    """What travels: which deployment to start, or to tell that a slot is free. Neither parameters nor secrets."""

    model_config = ConfigDict(extra="ignore")
    deployment_id: DeploymentId
    organization_id: Name | None = None
    what: Literal["start", "slot"] = "start"


async def enqueue(deployment: Deployment) -> bool:
    """Send the deployment to be started and note that in its document. False: the queue did not take it.

    Repeated within the queue's window, the message is dropped there: its id is the deployment's.
    """
    message = DeploymentMessage(deployment_id=deployment.id, organization_id=deployment.organization_id)
    try:
        await send(settings().deployments_queue, message.model_dump_json(by_alias=True), message_id=deployment.id)
    except TransientError:
        return False
    await store.change(
        deployment.id,
        deployment.organization_id,
        lambda found, _: found.model_copy(update={"sent_at": datetime.now(UTC)}),
    )
    return True


async def tell_slot_free(deployment_id: str, *, released: str) -> None:
    """Let the orchestration of a waiting deployment ask now for the slot that the deployment `released` had."""
    message = DeploymentMessage(deployment_id=deployment_id, what="slot")
    await send(
        settings().deployments_queue,
        message.model_dump_json(by_alias=True),
        message_id=f"{deployment_id}~{released}",
    )
