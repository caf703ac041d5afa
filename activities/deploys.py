"""One side effect each of a deployment; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.deploys import queue, slots, store, transitions
from shared.deploys.logs import DeploymentLog
from shared.deploys.models import (
    ERROR_LENGTH,
    Deployment,
    DeploymentError,
    DeploymentSpec,
    DeploymentStatus,
    Step,
    StopReason,
)
from shared.deploys.platforms import platform
from shared.deploys.platforms.base import Box, BuildContext, DeploymentCancelled, Workspace
from shared.deploys.secrets import Redactor, redactor
from shared.deploys.slots import SlotAnswer, SlotRequest, Slots
from shared.deploys.steps import (
    Built,
    Claim,
    Claimed,
    ContextReady,
    DeploymentRef,
    DomainBound,
    DomainTask,
    End,
    Ended,
    ImageReady,
    Nothing,
    Released,
    RevisionReady,
    Serving,
    Stop,
    Wake,
    WorkspaceReady,
)
from shared.platform.durable import ONCE, RetryPolicy, activity, entity
from shared.platform.errors import Conflict, NotFound, TerminalError, TransientError
from shared.platform.settings import settings

BOX_SECONDS = 200.0
LOOKED_SECONDS = 0.4
"""How old the answer to "was it cancelled?" may be: a cancel shall be seen within a second."""
SOON = RetryPolicy(attempts=4, first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=4))
"""Between attempts nobody sees a cancel, so they follow one another quickly."""

logger = logging.getLogger(__name__)


@entity
def deploy_slots(state: Slots, request: SlotRequest) -> tuple[Slots, SlotAnswer]:
    """Who may work, and who waits."""
    return slots.decide(state, request)


@activity(retry=SOON)
async def claim_deployment(task: Claim) -> Claimed:
    """Let one execution have the deployment. A finished orchestration that is started again gets nothing."""
    known = settings()
    claimed = True
    try:
        found = await store.change(
            task.deployment_id, task.organization_id, lambda one, now: transitions.claim(one, task.execution, now)
        )
    except Conflict:
        claimed = False
        found = await store.load(task.deployment_id, task.organization_id)
    return Claimed(
        claimed=claimed,
        status=found.status,
        project=f"{found.organization_id}/{found.project_id}",
        limit=known.max_concurrent_deployments,
        timeout_seconds=known.deployment_timeout_ms / 1000,
    )


@activity(retry=SOON)
async def validate_deployment(task: DeploymentRef) -> Nothing:
    """See whether it can be done at all."""
    async with _step(task, Step.VALIDATION, DeploymentStatus.VALIDATING) as work:
        await platform().validate(work.spec, work.box)
    await _ended(task, Step.VALIDATION)
    return Nothing()


@activity(retry=SOON)
async def provision_container(task: DeploymentRef) -> WorkspaceReady:
    """Make the place of the build."""
    async with _step(task, Step.CONTAINER, DeploymentStatus.PROVISIONING_CONTAINER) as work:
        workspace = await platform().provision(work.spec, work.box)
    await _ended(task, Step.CONTAINER)
    return WorkspaceReady(**task.model_dump(), workspace=workspace.reference)


@activity(retry=SOON)
async def sync_files(task: WorkspaceReady) -> ContextReady:
    """Bring the source there."""
    async with _step(task, Step.SYNC, DeploymentStatus.SYNCING_FILES) as work:
        context = await platform().sync(work.spec, Workspace(reference=task.workspace), work.box)
    await _ended(task, Step.SYNC)
    return ContextReady(**_ref(task).model_dump(), context=context.reference)


@activity(retry=SOON)
async def build_image(task: ContextReady) -> Built:
    """Build for one time box."""
    async with _step(task, Step.BUILD, DeploymentStatus.BUILDING_IMAGE) as work:
        context = BuildContext(reference=task.context)
        built = await platform().build(work.spec, context, work.box, task.cursor)
        if built.done and built.image is None:
            raise TerminalError("The build ended without an image.", code="build-failed")
    if built.pushing or built.done:
        await store.change(
            task.deployment_id,
            task.organization_id,
            lambda one, now: transitions.begin_step(one, Step.BUILD, DeploymentStatus.PUSHING_REGISTRY, now),
        )
    if built.done:
        await _ended(task, Step.BUILD)
    return Built(done=built.done, image=built.image, cursor=built.cursor)


@activity(retry=SOON)
async def release_revision(task: ImageReady) -> Released:
    """Start the new version beside the one that serves, without traffic, and wait until it is healthy.

    Raises:
        TerminalError: it does not become healthy (`revision-unhealthy`); the one before keeps the traffic.
    """
    async with _step(task, Step.DEPLOY, DeploymentStatus.DEPLOYING) as work:
        released = await platform().release(work.spec, task.image, work.box, task.cursor)
        if released.done and released.revision is None:
            raise TerminalError("The new revision came without a name.", code="revision-unhealthy")
        if released.revision and not released.revision.healthy:
            raise TerminalError(
                f"The new version did not become healthy: {released.revision.reason or 'no reason was given'}."
                " It got no traffic; what served before, serves on.",
                code="revision-unhealthy",
                remedy="See the deployment's log, mend the app, and deploy again.",
            )
    return Released(done=released.done, revision=released.revision, cursor=released.cursor)


@activity(retry=SOON)
async def promote_revision(task: RevisionReady) -> Serving:
    """Give the healthy revision all traffic."""
    async with _step(task, Step.DEPLOY, DeploymentStatus.DEPLOYING) as work:
        promoted = await platform().promote(work.spec, task.revision, work.box)
    found = await store.change(
        task.deployment_id,
        task.organization_id,
        lambda one, now: one.model_copy(update={"container_app_url": promoted.url, "updated_at": now}),
    )
    if found.custom_domain is None:
        await _ended(task, Step.DEPLOY)
    return Serving(url=promoted.url, custom_domain=found.custom_domain is not None)


@activity(retry=SOON)
async def configure_domain(task: DomainTask) -> DomainBound:
    """Bind the custom domain, for one time box."""
    async with _step(task, Step.DEPLOY, DeploymentStatus.CONFIGURING_DOMAIN) as work:
        bound = await platform().configure_domain(work.spec, work.box, task.cursor)
    if bound.done:
        await store.change(
            task.deployment_id,
            task.organization_id,
            lambda one, now: one.model_copy(update={"custom_domain_url": bound.url, "updated_at": now}),
        )
        await _ended(task, Step.DEPLOY)
    return DomainBound(done=bound.done, cursor=bound.cursor)


@activity(retry=SOON)
async def settle_deployment(task: DeploymentRef) -> Nothing:
    """The point of no return: from here on the deployment is only tidied up, and a cancel is refused."""
    await store.change(
        task.deployment_id,
        task.organization_id,
        lambda one, now: transitions.begin_step(one, Step.CLEANUP, DeploymentStatus.UPDATING_DATABASE, now),
    )
    return Nothing()


@activity(retry=SOON)
async def roll_back(task: DeploymentRef) -> Nothing:
    """Let the previous revision serve and remove what this deployment has started.

    Raises:
        Conflict: the deployment is past its point of no return (`deployment-finishing`).
    """
    found = await store.load(task.deployment_id, task.organization_id)
    if found.status in (DeploymentStatus.UPDATING_DATABASE, DeploymentStatus.COMPLETED):
        raise Conflict(f"Deployment {found.id} serves and is not undone.", code=transitions.FINISHING)
    async with _step(task, Step.CLEANUP, None, "undoing: what served before serves on") as work:
        await platform().rollback(work.spec, work.box)
    return Nothing()


@activity(retry=SOON)
async def clean_up(task: DeploymentRef) -> Nothing:
    """Remove what only the deployment needed."""
    async with _step(task, Step.CLEANUP, None, "tidying up") as work:
        await platform().cleanup(work.spec, work.box)
    await _ended(task, Step.CLEANUP)
    return Nothing()


@activity(retry=SOON)
async def stop_deployment(task: Stop) -> Nothing:
    """Let those at work see that they shall stop. One that has ended or serves already is left alone."""
    try:
        await store.change(
            task.deployment_id, task.organization_id, lambda one, now: transitions.ask_to_stop(one, task.reason, now)
        )
    except Conflict as refused:
        logger.info("A deployment goes on to its end: %s", refused)
    return Nothing()


@activity(retry=RetryPolicy(attempts=8, first_delay=timedelta(seconds=1)))
async def end_deployment(task: End) -> Ended:
    """Write down how it ended. What was cancelled is cancelled, whatever else happened meanwhile."""
    redact = await _redactor(await store.load(task.deployment_id, task.organization_id))
    found = await store.change(
        task.deployment_id,
        task.organization_id,
        lambda one, now: transitions.end(one, task.status, _error(one, task, redact, now), now),
    )
    code = found.error.code if found.error else None
    extra = {"deployment": found.id, "organization": found.organization_id, "status": str(found.status), "code": code}
    logger.info("A deployment has ended.", extra=extra)
    return Ended(deployment_id=found.id, status=found.status, code=code)


@activity(retry=ONCE)
async def wake_waiting(task: Wake) -> Nothing:
    """Tell those who wait that a slot is free. They ask from time to time anyway, so a lost word costs a minute."""
    for waiting in task.deployment_ids:
        try:
            await queue.tell_slot_free(waiting, released=task.released)
        except TransientError as error:
            logger.warning("A waiting deployment was not woken: %s", error, extra={"deployment": waiting})
    return Nothing()


@dataclass(frozen=True, slots=True)
class _Work:
    spec: DeploymentSpec
    box: Box


@asynccontextmanager
async def _step(
    task: DeploymentRef, step: Step, status: DeploymentStatus | None, says: str = ""
) -> AsyncGenerator[_Work]:
    """The deployment at work on the step, with its log and the view on a cancel. A failure goes to both.

    A status of None is for undoing and tidying up, which nothing stops.

    Raises:
        TerminalError: as the block raises it, without the values of secrets.
        TransientError: whatever else the block raised, without the values of secrets.
    """
    found = await store.change(
        task.deployment_id,
        task.organization_id,
        lambda one, now: transitions.begin_step(one, step, status, now),
    )
    redact = await _redactor(found)
    async with DeploymentLog(found.organization_id, found.id, redact) as log:
        await log.write(f"[{step}] {says or status}")
        box = Box(cancelled=_watch(task) if status else _never, log=log.write, seconds=BOX_SECONDS)
        try:
            yield _Work(found.spec(), box)
        except DeploymentCancelled:
            await log.write(f"[{step}] stopped")
            raise
        except TerminalError as error:
            text = redact(error.message)[:ERROR_LENGTH]
            await log.write(f"[{step}] failed: {text}\n{redact(error.remedy or '')}")
            await _ended(task, step, text)
            raise TerminalError(text, code=error.code, remedy=error.remedy and redact(error.remedy)) from None
        except TransientError as error:
            await log.write(f"[{step}] will be tried again: {error.message}")
            raise TransientError(redact(error.message), code=error.code) from None
        except Exception as error:  # noqa: BLE001 - whatever an adapter's library raises
            # The host writes what is raised into the history; nothing foreign gets there with a secret in it.
            logger.warning("A step of a deployment failed.", extra={"step": step, "error": type(error).__name__})
            text = redact(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]
            await log.write(f"[{step}] will be tried again: {text}")
            raise TransientError(text, code="step-failed") from None


async def _ended(task: DeploymentRef, step: Step, error: str | None = None) -> Deployment:
    return await store.change(
        task.deployment_id, task.organization_id, lambda one, now: transitions.end_step(one, step, error, now)
    )


def _watch(task: DeploymentRef) -> Callable[[], Awaitable[bool]]:
    """Whether the deployment shall stop, looked up at most every LOOKED_SECONDS."""
    stopped = False
    due = 0.0

    async def cancelled() -> bool:
        nonlocal stopped, due
        now = asyncio.get_running_loop().time()
        if stopped or now < due:
            return stopped
        due = now + LOOKED_SECONDS
        try:
            found = await store.find(task.deployment_id, task.organization_id)
        except TransientError:
            return False  # the next look will tell
        stopped = found is None or found.stop is not None or found.status.ended
        return stopped

    return cancelled


async def _never() -> bool:
    return False


async def _redactor(deployment: Deployment) -> Redactor:
    try:
        return await redactor(deployment.secrets_reference)
    except NotFound:
        return Redactor(())


def _error(deployment: Deployment, task: End, redact: Redactor, now: datetime) -> DeploymentError | None:
    if task.status is not DeploymentStatus.FAILED:
        return None
    code, message, details = task.code or "deployment-failed", task.message or "", task.remedy
    if deployment.stop is StopReason.TIMEOUT and code == transitions.STOPPED:
        seconds = settings().deployment_timeout_ms / 1000
        code, message = "deployment-timeout", f"The deployment was not done after {seconds:g} s and was undone."
        details = "Make the build quicker, or let the operator raise DEPLOYMENT_TIMEOUT_MS."
    worked = [one for one in deployment.steps if one.name is not Step.CLEANUP]
    failed = next((one.name for one in worked if one.success is False), worked[-1].name if worked else None)
    return DeploymentError(
        code=code,
        message=redact(message)[:ERROR_LENGTH],
        details=details and redact(details),
        timestamp=now.astimezone(UTC),
        step=task.step or failed,
    )


def _ref(task: DeploymentRef) -> DeploymentRef:
    return DeploymentRef(deployment_id=task.deployment_id, organization_id=task.organization_id)


activities = (
    claim_deployment,
    validate_deployment,
    provision_container,
    sync_files,
    build_image,
    release_revision,
    promote_revision,
    configure_domain,
    settle_deployment,
    roll_back,
    clean_up,
    stop_deployment,
    end_deployment,
    wake_waiting,
)
