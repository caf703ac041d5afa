"""What the steps of a deployment are given and give back."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.deploys.models import AppRef, CancelReason, DeploymentId, DeploymentStatus, Environment, Name
from shared.deploys.platforms.base import Revision
from shared.platform.models import LazyModel

SLOTS: Final = "all"
"""The key of the one entity `deploy_slots`."""


class _Step(LazyModel):
    model_config = ConfigDict(frozen=True)


class DeploymentRef(_Step):
    """Which deployment."""

    deployment_id: DeploymentId
    organization_id: Name
    hub: UUID | None = Field(default=None, description="The task hub that works on it")


class Claim(DeploymentRef):
    """A deployment and the execution that wants it."""

    execution: str


class Claimed(_Step):
    """Whether the execution may run the deployment, and what it has to keep to."""

    claimed: bool
    status: DeploymentStatus
    project: str = Field(description="Organization and project: one deployment of it runs at a time")
    limit: int = Field(description="Deployments that run at the same time")
    timeout_seconds: float
    turn: bool = Field(default=True, description="No other task hub works on the project")


class WorkspaceReady(DeploymentRef):
    """Where the build will take place, as the platform names it."""

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


class CancelDeployment(DeploymentRef):
    """A deployment to cancel, and why."""

    reason: CancelReason


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
    """Waiting deployments that may run now that the slot of `released` is free."""

    released: DeploymentId
    deployment_ids: list[str]


class Recovery(DeploymentRef):
    """An orphaned deployment. `settled`: its revision serves already, so it is to be completed."""

    settled: bool


class Purge(_Step):
    """Where the purge goes on."""

    cursor: str | None = None


class Purged(_Step):
    """What one time box of the purge removed, and where the next goes on; a cursor of None: at the end."""

    variables: int = Field(default=0, description="Deployments whose variables were deleted")
    deployments: int = 0
    sources: int = 0
    cursor: str | None = None


class RemoveApp(AppRef):
    """An app to delete, and by which deletion."""

    removal: UUID | None = None


class RemoveApps(_Step):
    """Apps of one project to delete; of a whole project, all its environments."""

    organization_id: Name
    project_id: Name
    environments: list[Environment]
    whole: bool = Field(description="The project goes as well, with its sources")
    removal: UUID | None = Field(default=None, description="Which deletion it is")

    def app(self, environment: Environment) -> RemoveApp:
        """One of the apps."""
        return RemoveApp(
            organization_id=self.organization_id,
            project_id=self.project_id,
            environment=environment,
            removal=self.removal,
        )


class Forgotten(_Step):
    """What one time box has deleted, and whether nothing is left."""

    done: bool
    deleted: int


class SlotRequest(_Step):
    """What a deployment wants of the slots. `project` and the rest matter to who acquires."""

    wants: Literal["acquire", "release"]
    deployment_id: str
    project: str = ""
    now: datetime
    limit: int = Field(default=1, ge=1)
    seconds: float = Field(default=0, description="How long it may hold the slot")


class SlotAnswer(_Step):
    """Whether the deployment may work, and who else may now."""

    granted: bool
    position: int = Field(default=0, description="In the queue, from 1; 0: not in it")
    freed: list[str] = Field(default_factory=list, description="Deployments that wait and may work if they ask now")
