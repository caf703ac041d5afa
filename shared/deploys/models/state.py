"""The state documents in Cosmos DB: a deployment's, and a project's."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.deploys.models.fields import CommitSha, DeploymentId, Environment, Name, SourceHash, Wire, split_command
from shared.deploys.models.requests import Parameters
from shared.deploys.models.sizes import SCALES
from shared.deploys.models.sources import Source
from shared.deploys.models.spec import DeploymentSpec

ERROR_LENGTH: Final = 2_000
ORPHANED: Final = "deployment-lost"
"""Code of the error of a deployment whose orchestration was terminated."""
SUPERSEDED: Final = "deployment-superseded"
"""Code of the error of a deployment that a newer one of its app has overtaken."""
CANCEL_CODE: Final = "deployment-stopped"
"""Code of the error of a step, or of a change, that a cancel or the timeout has ended."""
FINISHING: Final = "deployment-finishing"
"""Code of the error of cancelling or undoing a deployment that serves for good."""


TAKEN: Final = "deployment-taken-over"
"""Code of the error of changing a deployment that another task hub has taken over."""


class DeploymentStatus(StrEnum):
    """Where a deployment stands. Between queued and completed they follow one another in this order."""

    IDLE = "idle"
    QUEUED = "queued"
    VALIDATING = "validating"
    PROVISIONING_CONTAINER = "provisioning_container"
    SYNCING_FILES = "syncing_files"
    BUILDING_IMAGE = "building_image"
    PUSHING_REGISTRY = "pushing_registry"
    DEPLOYING = "deploying"
    CONFIGURING_DOMAIN = "configuring_domain"
    UPDATING_DATABASE = "updating_database"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the deployment changes no more."""
        return self in (DeploymentStatus.COMPLETED, DeploymentStatus.FAILED, DeploymentStatus.CANCELLED)


class Step(StrEnum):
    """The six steps of a deployment, in their order."""

    VALIDATION = "validation"
    CONTAINER = "container"
    SYNC = "sync"
    BUILD = "build"
    DEPLOY = "deploy"
    CLEANUP = "cleanup"


PROGRESS: Final = {
    Step.VALIDATION: 10,
    Step.CONTAINER: 20,
    Step.SYNC: 35,
    Step.BUILD: 55,
    Step.DEPLOY: 85,
    Step.CLEANUP: 100,
}
"""Percent shown when a step begins; cleanup's is shown when the deployment has completed."""


class DeploymentError(Wire):
    """Why a deployment failed."""

    code: str
    message: str
    details: str | None = Field(default=None, description="What to do next")
    timestamp: datetime
    step: Step | None = None


class StepWork(Wire):
    """A step in the state document: begun, and ended once `success` is known."""

    name: Step
    started_at: datetime
    ended_at: datetime | None = None
    success: bool | None = None
    error: str | None = None


class CancelReason(StrEnum):
    """Why the running steps end early."""

    REQUEST = "cancel"
    TIMEOUT = "timeout"
    SUPERSEDED = "superseded"

    @property
    def ends_cancelled(self) -> bool:
        """Whether the deployment ends as cancelled, whatever else went wrong meanwhile."""
        return self is not CancelReason.TIMEOUT


class LogMark(Wire):
    """Where in the log a time box of a step began to write: a box that is run again does not write its lines again."""

    box: str
    offset: int


class Deployment(Parameters):
    """The state document, one a deployment; its partition is the organization.

    It holds no value of an environment variable: `secrets_reference` names where they are kept.
    """

    model_config = ConfigDict(extra="ignore")
    id: DeploymentId
    type: Literal["deployment"] = "deployment"
    source: Source
    secrets_reference: str | None = None
    project_variables: list[str] = Field(default_factory=list[str], description="Names of those that are its project's")
    status: DeploymentStatus = DeploymentStatus.QUEUED
    progress: int = 0
    steps: list[StepWork] = Field(default_factory=list[StepWork])
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = Field(default=None, description="When the queue accepted it")
    claimed_by: str | None = Field(default=None, description="The one execution that runs it")
    hub: UUID | None = Field(default=None, description="The task hub of that execution")
    started_at: datetime | None = None
    completed_at: datetime | None = Field(default=None, description="When it ended, however it ended")
    cancel_reason: CancelReason | None = Field(
        default=None, alias="stop", description="Set once; a request wins over a timeout"
    )
    container_app_url: str | None = None
    custom_domain_url: str | None = None
    error: DeploymentError | None = None
    log_mark: LogMark | None = None
    fetched_commit: CommitSha | None = Field(default=None, description="Of a source from git")
    runtime: str | None = Field(default=None, description="What the app is run by, once its source was looked at")
    notes: list[str] = Field(default_factory=list[str], description="What its owner should know of that")
    request_hash: str | None = Field(default=None, description="Of a request with an idempotency key")
    key_document: str | None = Field(default=None, description="Id of the document of that key")
    original_deployment_id: DeploymentId | None = Field(default=None, description="What this one retries")

    def spec(self) -> DeploymentSpec:
        """The deployment as a platform sees it."""
        scale = SCALES[self.environment]
        return DeploymentSpec(
            deployment_id=self.id,
            organization_id=self.organization_id,
            project_id=self.project_id,
            project_name=self.project_name,
            environment=self.environment,
            template_type=self.template_type,
            source=self.source,
            build_command=split_command(self.build_command or ""),
            start_command=split_command(self.start_command or ""),
            root_directory=self.root_directory,
            custom_domain=self.custom_domain,
            secrets_reference=self.secrets_reference,
            plain_variables=tuple(self.plain_variables),
            health_path=self.health_path,
            health_seconds=self.health_seconds,
            scale=scale.model_copy(update={"size": self.container_size}) if self.container_size else scale,
        )


class Project(Wire):
    """What is known of a project: its newest source and its newest deployment."""

    model_config = ConfigDict(extra="ignore")
    id: str
    type: Literal["project"] = "project"
    organization_id: Name
    project_id: Name
    source_hash: SourceHash | None = None
    deployment_id: DeploymentId | None = None
    reserved_until: datetime | None = Field(default=None, description="One V2 request is about to deploy it")
    variables_reference: str | None = Field(default=None, description="Where the project's variables are kept")
    plain_variables: list[str] = Field(default_factory=list[str], description="Which of them are no secrets")
    removing: list[Environment] = Field(
        default_factory=list[Environment], description="Environments that are being deleted; all of them: the project"
    )
    removal: UUID | None = Field(default=None, description="Which deletion that is")
    working: dict[DeploymentId, UUID] = Field(
        default_factory=dict[DeploymentId, UUID],
        description="Deployments that may be at work, and their task hubs: of one hub at a time",
    )
    updated_at: datetime


def document(model: Wire) -> dict[str, Any]:
    """The JSON object that Cosmos DB keeps."""
    return model.model_dump(mode="json", by_alias=True)
