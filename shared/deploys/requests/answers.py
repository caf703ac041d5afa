"""The answers of the deploy routes, in the shapes that clients of the replaced system know."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.deploys.models import (
    ArchiveSource,
    CancelReason,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    Environment,
    GitSource,
    Project,
    Step,
    Wire,
)
from shared.deploys.platforms.base import AppHealth
from shared.platform.http import Pagination

ESTIMATE = "5-10 minutes"


class DeploymentAccepted(Wire):
    """A deployment that goes on by itself."""

    success: bool = True
    deployment_id: str
    status: DeploymentStatus
    message: str
    estimated_duration: str = ESTIMATE


class StepResult(Wire):
    """What became of one step."""

    name: Step
    success: bool
    duration: float = Field(description="Seconds")
    error: str | None = None


class AppHealthState(Wire):
    """How a running app is doing."""

    healthy: bool
    restarts: int = Field(description="How often it ended by itself and was started again")
    reason: str | None


class DomainReleased(Wire):
    """A custom domain that is free for another app."""

    success: bool = True
    project_id: str
    domain: str


class ProjectVariable(Wire):
    """A variable of a project."""

    name: str
    value: str = Field(description="*** where it is a secret")
    secret: bool


class ProjectVariables(Wire):
    """The variables that a project's later deployments are given."""

    success: bool = True
    project_id: str
    variables: list[ProjectVariable]


class RemovalStarted(Wire):
    """An app or a project is being deleted."""

    success: bool = True
    project_id: str
    environments: list[Environment] = Field(description="Which of its apps; all three: the project as well")
    message: str


class DeploymentState(Wire):
    """The status of a deployment."""

    success: bool = Field(description="false once it has failed")
    deployment_id: str
    project_id: str
    status: DeploymentStatus
    progress: int = Field(description="Percent")
    current_step: Step | None
    started_at: datetime | None
    completed_at: datetime | None
    container_app_url: str | None
    custom_domain_url: str | None
    cancel_requested: bool
    original_deployment_id: str | None
    error: DeploymentError | None
    steps: list[StepResult] = Field(description="Those that have ended")
    runtime: str | None = Field(
        description="What the app is run by, as `Node 22`; null: its source was not looked at yet"
    )
    notes: list[str] = Field(description="What its owner should know, as of a version that is not there")
    app: AppHealthState | None = Field(description="Of a completed one whose app runs, at this moment")


class DeploymentSummary(Wire):
    """A deployment in a list."""

    deployment_id: str
    project_id: str
    project_name: str
    environment: Environment
    status: DeploymentStatus
    progress: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    container_app_url: str | None
    custom_domain_url: str | None
    user_id: str
    source_hash: str | None = Field(description="Of an uploaded source")
    git_url: str | None
    commit_sha: str | None = Field(description="What was requested, or else fetched; null: nothing was fetched yet")
    error: DeploymentError | None


class Deployments(Wire):
    """Some deployments, the newest first."""

    data: list[DeploymentSummary]
    pagination: Pagination


class OrganizationDeployments(Deployments):
    """An organization's deployments, and counts by status."""

    organization_id: str
    counts: dict[str, int] = Field(description="All deployments of the organization by status")


class ProjectSummary(Wire):
    """A project that something was uploaded to or deployed for."""

    organization_id: str
    project_id: str
    source_hash: str | None = Field(description="Of its newest uploaded source")
    deployment_id: str | None = Field(description="Its newest deployment")
    removing: list[Environment] = Field(description="Environments that are being deleted; all three: the project")
    updated_at: datetime


class Projects(Wire):
    """Some projects."""

    data: list[ProjectSummary]
    pagination: Pagination


class Organizations(Wire):
    """Names of organizations."""

    data: list[str]
    pagination: Pagination


class DeploymentCancelAnswer(Wire):
    """A cancel was accepted."""

    success: bool = True
    deployment_id: str
    status: DeploymentStatus
    message: str


class DeploymentRetried(DeploymentAccepted):
    """An earlier deployment was started anew."""

    original_deployment_id: str
    new_deployment_id: str


class DeploymentLogPage(Wire):
    """Some of a deployment's log."""

    success: bool = True
    deployment_id: str
    lines: list[str]
    next: int = Field(description="What to send as `after` for the lines that follow")
    complete: bool = Field(description="true: the deployment has ended and this was the rest of its log")


class AppLog(Wire):
    """What an app wrote last."""

    success: bool = True
    deployment_id: str
    lines: list[str]


class SourceStored(Wire):
    """An uploaded source."""

    success: bool = True
    project_id: str
    source_hash: str = Field(description="sha256 of the archive; names it in a request to deploy")
    size: int = Field(description="Bytes")


class SourceUploadUrl(Wire):
    """Where to PUT a large archive, until when, and with which headers."""

    success: bool = True
    url: str
    expires_at: datetime
    headers: dict[str, str]
    source_hash: str


def state(deployment: Deployment, app: AppHealth | None = None) -> DeploymentState:
    """The status of the deployment."""
    running = [one.name for one in deployment.steps if one.success is None]
    return DeploymentState(
        success=deployment.status is not DeploymentStatus.FAILED,
        deployment_id=deployment.id,
        project_id=deployment.project_id,
        status=deployment.status,
        progress=deployment.progress,
        current_step=running[-1] if running and not deployment.status.ended else None,
        started_at=deployment.started_at,
        completed_at=deployment.completed_at,
        container_app_url=deployment.container_app_url if _serves(deployment) else None,
        custom_domain_url=deployment.custom_domain_url if _serves(deployment) else None,
        cancel_requested=deployment.cancel_reason is CancelReason.REQUEST,
        original_deployment_id=deployment.original_deployment_id,
        error=deployment.error,
        steps=[
            StepResult(
                name=one.name,
                success=one.success,
                duration=round((one.ended_at - one.started_at).total_seconds(), 3),
                error=one.error,
            )
            for one in deployment.steps
            if one.success is not None and one.ended_at is not None
        ],
        runtime=deployment.runtime,
        notes=deployment.notes,
        app=AppHealthState(healthy=app.healthy, restarts=app.restarts, reason=app.reason) if app else None,
    )


def summary(deployment: Deployment) -> DeploymentSummary:
    """The deployment in a list."""
    return DeploymentSummary(
        deployment_id=deployment.id,
        project_id=deployment.project_id,
        project_name=deployment.project_name,
        environment=deployment.environment,
        status=deployment.status,
        progress=deployment.progress,
        created_at=deployment.created_at,
        started_at=deployment.started_at,
        completed_at=deployment.completed_at,
        container_app_url=deployment.container_app_url if _serves(deployment) else None,
        custom_domain_url=deployment.custom_domain_url if _serves(deployment) else None,
        user_id=deployment.user_id,
        source_hash=deployment.source.hash if isinstance(deployment.source, ArchiveSource) else None,
        git_url=deployment.source.url if isinstance(deployment.source, GitSource) else None,
        commit_sha=(deployment.source.commit or deployment.fetched_commit)
        if isinstance(deployment.source, GitSource)
        else None,
        error=deployment.error,
    )


def accepted(deployment: Deployment) -> DeploymentAccepted:
    """The answer to a request to deploy."""
    return DeploymentAccepted(
        deployment_id=deployment.id, status=DeploymentStatus.QUEUED, message="Deployment queued successfully"
    )


def _serves(deployment: Deployment) -> bool:
    """Was the address given to this deployment to keep? One that was undone has none."""
    return deployment.status not in (DeploymentStatus.FAILED, DeploymentStatus.CANCELLED)


def project(one: Project) -> ProjectSummary:
    """A project in a list."""
    return ProjectSummary(**one.model_dump(include=set(ProjectSummary.model_fields)))
