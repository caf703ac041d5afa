"""The order of a deployment: claim, slot, six steps, and whatever happens, tidying up.

The six steps are an orchestration of their own, raced against a timer and a cancel. Its activities look into the state
document for a cancel, so that the steps end by themselves within a second and can be awaited.
"""

from __future__ import annotations

from datetime import timedelta

from activities.deploys.outcome import (
    claim_deployment,
    clean_up,
    end_deployment,
    roll_back,
    settle_deployment,
    stop_deployment,
)
from activities.deploys.steps import (
    build_image,
    configure_domain,
    promote_revision,
    provision_container,
    release_revision,
    sync_files,
    validate_deployment,
)
from orchestrators.deploys.waiting import (
    CANCEL,
    SlotOutcome,
    release_slot,
    wait_for_slot,
    wait_for_turn,
    without_slot,
)
from shared.deploys.models import (
    ERROR_LENGTH,
    FINISHING,
    ORPHANED,
    PROGRESS,
    TAKEN,
    CancelReason,
    DeploymentStatus,
    Step,
)
from shared.deploys.running.steps import (
    CancelDeployment,
    Claim,
    Claimed,
    ContextReady,
    DeploymentRef,
    DomainTask,
    End,
    Ended,
    ImageReady,
    Recovery,
    RevisionReady,
    Undo,
)
from shared.platform.durable import (
    CancelCause,
    Context,
    Nothing,
    Steps,
    call,
    orchestration,
    progress,
    race,
    repeat,
)
from shared.platform.errors import TerminalError

BOXES = 40
GRACE = timedelta(seconds=5)
"""What running steps are given to see a cancel."""


@orchestration
def deployment(context: Context, ref: DeploymentRef) -> Steps[Ended]:
    """Take a project's source to a running app. Whatever happens after the claim, the document says how it ended."""
    claim = Claim(**ref.model_dump(), execution=context.new_uuid())
    claimed = yield from call(context, claim_deployment, claim)
    slot: SlotOutcome = "granted"
    if claimed.claimed and not claimed.turn:
        slot, claimed = yield from wait_for_turn(context, claim, claimed)
    if not claimed.claimed:
        return Ended(deployment_id=ref.deployment_id, status=claimed.status, code="not-claimed")
    if slot == "granted":
        slot = yield from wait_for_slot(context, ref, claimed)
    if slot == "granted":
        ended = yield from _deploy(context, ref, claimed)
    else:
        ended = yield from call(context, end_deployment, without_slot(ref, slot))
    yield from release_slot(context, ref)
    progress(context, ended.status)
    return ended


@orchestration
def deployment_steps(context: Context, ref: DeploymentRef) -> Steps[Nothing]:
    """The steps up to the app that serves. They end early when the document says that they are cancelled."""
    progress(context, Step.VALIDATION, done=PROGRESS[Step.VALIDATION], total=100)
    yield from call(context, validate_deployment, ref)
    progress(context, Step.CONTAINER, done=PROGRESS[Step.CONTAINER], total=100)
    workspace = yield from call(context, provision_container, ref)
    progress(context, Step.SYNC, done=PROGRESS[Step.SYNC], total=100)
    source = yield from call(context, sync_files, workspace)
    progress(context, Step.BUILD, done=PROGRESS[Step.BUILD], total=100)
    image = yield from _build(context, source)
    progress(context, Step.DEPLOY, done=PROGRESS[Step.DEPLOY], total=100)
    yield from _release(context, ref, image)
    return Nothing()


@orchestration
def recover_deployment(context: Context, recovery: Recovery) -> Steps[Ended]:
    """End a deployment whose orchestration was terminated, or gave up undoing it."""
    ref = DeploymentRef(**recovery.model_dump(exclude={"settled"}))
    if recovery.settled:
        ended = yield from _complete(context, ref)
    else:
        # A sub-orchestration outlives its parent: let it see the cancel, and give it time to end.
        yield from call(context, stop_deployment, CancelDeployment(**ref.model_dump(), reason=CancelReason.TIMEOUT))
        yield context.create_timer(context.current_utc_datetime + GRACE)
        orphaned = TerminalError(
            "The orchestration of this deployment was terminated; the deployment was undone.",
            code=ORPHANED,
            remedy="Retry it.",
        )
        ended = yield from _undo(context, ref, orphaned)
    yield from release_slot(context, ref)
    return ended


@orchestration
def free_slot(context: Context, ref: DeploymentRef) -> Steps[Nothing]:
    """Release the slot of a deployment that ended without doing so, and notify those that wait for it."""
    yield from release_slot(context, ref)
    return Nothing()


def _deploy(context: Context, ref: DeploymentRef, claimed: Claimed) -> Steps[Ended]:
    def cancel(cause: CancelCause) -> Steps[Nothing]:
        progress(context, "cancelling")
        reason = CancelReason.TIMEOUT if cause == "timeout" else CancelReason.REQUEST
        return call(context, stop_deployment, CancelDeployment(**ref.model_dump(), reason=reason))

    progress(context, "deploying")
    try:
        yield from race(context, deployment_steps, ref, event=CANCEL, seconds=claimed.timeout_seconds, cancel=cancel)
        yield from call(context, settle_deployment, ref)
    except TerminalError as error:
        return (yield from _undo(context, ref, error))
    return (yield from _complete(context, ref))


def _build(context: Context, source: ContextReady) -> Steps[str]:
    built = yield from repeat(
        context,
        build_image,
        source,
        until=lambda built: built.done and built.image is not None,
        following=lambda task, built: task.model_copy(update={"cursor": built.cursor}),
        boxes=BOXES,
    )
    assert built.image is not None
    return built.image


def _release(context: Context, ref: DeploymentRef, image: str) -> Steps[None]:
    """Blue-green: the new revision is started without traffic, and gets it once it is healthy."""
    released = yield from repeat(
        context,
        release_revision,
        ImageReady(**ref.model_dump(), image=image),
        until=lambda released: released.done and released.revision is not None,
        following=lambda task, released: task.model_copy(update={"cursor": released.cursor}),
        boxes=BOXES,
    )
    assert released.revision is not None
    ready = RevisionReady(**ref.model_dump(), revision=released.revision)
    serving = yield from call(context, promote_revision, ready)
    if serving.custom_domain:
        yield from repeat(
            context,
            configure_domain,
            DomainTask(**ref.model_dump()),
            until=lambda bound: bound.done,
            following=lambda task, bound: task.model_copy(update={"cursor": bound.cursor}),
            boxes=BOXES,
        )


def _complete(context: Context, ref: DeploymentRef) -> Steps[Ended]:
    try:
        yield from call(context, clean_up, ref)
    except TerminalError:
        # The app serves. What is left over is in the log, and the next deployment's cleanup removes it.
        progress(context, "left something over")
    return (yield from call(context, end_deployment, End(**ref.model_dump(), status=DeploymentStatus.COMPLETED)))


def _undo(context: Context, ref: DeploymentRef, error: TerminalError) -> Steps[Ended]:
    """The previous revision serves on, nothing of this deployment is left, and its document says why.

    Raises:
        TerminalError: what served before may not serve (`not-undone`). So the deployment has not ended, it keeps its
            slot, and the sweep lets it be undone once more.
    """
    progress(context, "undoing")
    message = error.message
    undo = Undo(**ref.model_dump(), code=error.code, message=message[:ERROR_LENGTH], remedy=error.remedy)
    try:
        yield from call(context, roll_back, undo)
    except TerminalError as left:
        if left.code == FINISHING:
            return (yield from _complete(context, ref))
        if left.code == TAKEN:
            return Ended(deployment_id=ref.deployment_id, status=DeploymentStatus.FAILED, code=TAKEN)
        raise TerminalError(
            f"{message} It could not be undone: {left.message}",
            code="not-undone",
            remedy="Let the container platform and the state database answer; it is tried again by itself.",
        ) from None
    try:
        yield from call(context, clean_up, ref)
    except TerminalError as left:
        message = f"{message} Undoing it left something over: {left.message}"
    failed = End(
        **ref.model_dump(),
        status=DeploymentStatus.FAILED,
        code=error.code,
        message=message[:ERROR_LENGTH],
        remedy=error.remedy,
    )
    return (yield from call(context, end_deployment, failed))
