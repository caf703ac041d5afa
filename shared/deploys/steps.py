"""What the steps of a deployment are given and give back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.deploys.models import DeploymentId, DeploymentStatus, Name, StopReason
from shared.deploys.platforms.base import Revision
from shared.deploys.slots import SlotAnswer, SlotRequest

__all__ = ["SlotAnswer", "SlotRequest"]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True)


class DeploymentRef(_Step):
    """Which deployment."""

    deployment_id: DeploymentId
    organization_id: Name


class Claim(DeploymentRef):
    """A deployment and the execution that wants it."""

    execution: str


class Claimed(_Step):
    """Whether the execution may work, and what it has to keep to."""

    claimed: bool
    status: DeploymentStatus
    project: str = Field(description="Organization and project: one deployment of it works at a time")
    limit: int = Field(description="Deployments that work at the same time")
    timeout_seconds: float


class WorkspaceReady(DeploymentRef):
    workspace: str


class ContextReady(DeploymentRef):
    """A source to build."""

    context: str
    cursor: str | None = None


class ImageReady(DeploymentRef):
    """An image to release."""

    image: str
    cursor: str | None = None


class RevisionReady(DeploymentRef):
    """A healthy revision, to be given traffic."""

    revision: Revision


class DomainTask(DeploymentRef):
    """A custom domain to bind."""

    cursor: str | None = None


class Built(_Step):
    """How far the build is."""

    done: bool
    image: str | None = None
    cursor: str | None = None


class Released(_Step):
    """How far the new revision is."""

    done: bool
    revision: Revision | None = None
    cursor: str | None = None


class Serving(_Step):
    """Where the app answers, and whether a custom domain is to be bound."""

    url: str
    custom_domain: bool


class DomainBound(_Step):
    """How far the custom domain is."""

    done: bool
    cursor: str | None = None


class Stop(DeploymentRef):
    """Why those at work shall stop."""

    reason: StopReason


class Undo(DeploymentRef):
    """Why a deployment is undone."""

    code: str | None = None
    message: str | None = None
    remedy: str | None = None


class End(Undo):
    """How a deployment ends, and why if it failed."""

    status: DeploymentStatus


class Ended(_Step):
    """How a deployment ended."""

    deployment_id: DeploymentId
    status: DeploymentStatus
    code: str | None = None


class Wake(_Step):
    """Deployments that wait and may work now that the slot of `released` is free."""

    released: DeploymentId
    deployment_ids: list[str]


class Recovery(DeploymentRef):
    """A deployment whose orchestration is gone. `settled`: its revision serves already, so it is to be completed."""

    settled: bool


class Purge(_Step):
    """Where to go on with forgetting what is kept no longer."""

    cursor: str | None = None


class Nothing(_Step):
    """No news."""
