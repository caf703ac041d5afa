"""The steps that take a source to an app that serves, each done by the platform."""

from __future__ import annotations

from activities.deploys.running import SHORT_RETRIES, change, end_step, running_step, supersede_if_older
from shared.deploys.documents import transitions
from shared.deploys.models import DeploymentStatus, Step
from shared.deploys.platforms import platform
from shared.deploys.platforms.base import BuildContext, Workspace
from shared.deploys.running.steps import (
    Built,
    ContextReady,
    DeploymentRef,
    DomainBound,
    DomainTask,
    ImageReady,
    Released,
    RevisionReady,
    Serving,
    WorkspaceReady,
)
from shared.platform.durable import Nothing, activity
from shared.platform.errors import TerminalError


@activity(retry=SHORT_RETRIES)
async def validate_deployment(task: DeploymentRef) -> Nothing:
    """See whether it can be done at all."""
    async with running_step(task, Step.VALIDATION, DeploymentStatus.VALIDATING) as running:
        await supersede_if_older(task)
        await platform().validate(running.spec, running.context)
    await end_step(task, Step.VALIDATION)
    return Nothing()


@activity(retry=SHORT_RETRIES)
async def provision_container(task: DeploymentRef) -> WorkspaceReady:
    """Make the place of the build."""
    async with running_step(task, Step.CONTAINER, DeploymentStatus.PROVISIONING_CONTAINER) as running:
        workspace = await platform().provision(running.spec, running.context)
    await end_step(task, Step.CONTAINER)
    return WorkspaceReady(**task.model_dump(), workspace=workspace.reference)


@activity(retry=SHORT_RETRIES)
async def sync_files(task: WorkspaceReady) -> ContextReady:
    """Bring the source there."""
    async with running_step(task, Step.SYNC, DeploymentStatus.SYNCING_FILES) as running:
        context = await platform().sync(running.spec, Workspace(reference=task.workspace), running.context)
    if context.runtime is not None:
        fields = {"fetched_commit": context.commit, "runtime": context.runtime, "notes": [*context.notes]}
        await change(task, lambda deployment, now: deployment.model_copy(update={**fields, "updated_at": now}))
    await end_step(task, Step.SYNC)
    return ContextReady(**_ref(task).model_dump(), context=context.reference)


@activity(retry=SHORT_RETRIES)
async def build_image(task: ContextReady) -> Built:
    """Build for one time box."""
    async with running_step(task, Step.BUILD, DeploymentStatus.BUILDING_IMAGE, cursor=task.cursor) as running:
        context = BuildContext(reference=task.context)
        built = await platform().build(running.spec, context, running.context, task.cursor)
        if built.done and built.image is None:
            raise TerminalError("The build ended without an image.", code="build-failed")
    if built.pushing or built.done:
        await change(
            task,
            lambda deployment, now: transitions.begin_step(
                deployment, Step.BUILD, DeploymentStatus.PUSHING_REGISTRY, now
            ),
        )
    if built.done:
        await end_step(task, Step.BUILD)
    return Built(done=built.done, image=built.image, cursor=built.cursor)


@activity(retry=SHORT_RETRIES)
async def release_revision(task: ImageReady) -> Released:
    """Start the new version beside the one that serves, without traffic, and wait until it is healthy.

    Raises:
        TerminalError: it does not become healthy (`revision-unhealthy`); the one before keeps the traffic.
    """
    async with running_step(task, Step.DEPLOY, DeploymentStatus.DEPLOYING, cursor=task.cursor) as running:
        released = await platform().release(running.spec, task.image, running.context, task.cursor)
        if released.done and released.revision is None:
            raise TerminalError("The new revision came without a name.", code="revision-unhealthy")
        if released.revision and not released.revision.healthy:
            why = (released.revision.reason or "no reason was given").rstrip(".")
            raise TerminalError(
                f"The new version did not become healthy: {why}. It got no traffic; what served before, serves on.",
                code="revision-unhealthy",
                remedy="See the deployment's log, mend the app, and deploy again.",
            )
    return Released(done=released.done, revision=released.revision, cursor=released.cursor)


@activity(retry=SHORT_RETRIES)
async def promote_revision(task: RevisionReady) -> Serving:
    """Give the healthy revision all traffic."""
    async with running_step(task, Step.DEPLOY, DeploymentStatus.DEPLOYING, "giving the traffic") as running:
        await supersede_if_older(task)
        promoted = await platform().promote(running.spec, task.revision, running.context)
    deployment = await change(
        task,
        lambda deployment, now: deployment.model_copy(update={"container_app_url": promoted.url, "updated_at": now}),
    )
    if deployment.custom_domain is None:
        await end_step(task, Step.DEPLOY)
    return Serving(url=promoted.url, custom_domain=deployment.custom_domain is not None)


@activity(retry=SHORT_RETRIES)
async def configure_domain(task: DomainTask) -> DomainBound:
    """Bind the custom domain, for one time box."""
    async with running_step(task, Step.DEPLOY, DeploymentStatus.CONFIGURING_DOMAIN, cursor=task.cursor) as running:
        bound = await platform().configure_domain(running.spec, running.context, task.cursor)
    if bound.done:
        await change(
            task,
            lambda deployment, now: deployment.model_copy(update={"custom_domain_url": bound.url, "updated_at": now}),
        )
        await end_step(task, Step.DEPLOY)
    return DomainBound(done=bound.done, cursor=bound.cursor)


def _ref(task: DeploymentRef) -> DeploymentRef:
    return DeploymentRef(**task.model_dump(include=set(DeploymentRef.model_fields)))
