"""The order of a deployment: claim, slot, six steps, and whatever happens, tidying up.

The six steps are an orchestration of their own, raced against the clock and a cancel. Its activities look into the
state document for a stop, so that the loser of the race ends by itself within a second and is awaited.
"""

from __future__ import annotations

from datetime import timedelta

from activities.deploys import (
    build_image,
    claim_deployment,
    clean_up,
    configure_domain,
    deploy_slots,
    end_deployment,
    promote_revision,
    provision_container,
    release_revision,
    roll_back,
    settle_deployment,
    stop_deployment,
    sync_files,
    validate_deployment,
    wake_waiting,
)
from shared.deploys.models import ERROR_LENGTH, FINISHING, LOST, PROGRESS, DeploymentStatus, Step, StopReason
from shared.deploys.steps import (
    Claim,
    Claimed,
    ContextReady,
    DeploymentRef,
    DomainTask,
    End,
    Ended,
    ImageReady,
    Nothing,
    Recovery,
    RevisionReady,
    SlotRequest,
    Stop,
    Undo,
    Wake,
)
from shared.platform.durable import (
    Context,
    Interruption,
    Steps,
    ask,
    call,
    orchestration,
    progress,
    race,
    wait_for_any,
)
from shared.platform.errors import TerminalError

CANCEL = "cancel"
SLOT = "slot"
SLOTS = "all"
ASKS = 110
SOON_ASKS = 20
SOON_SECONDS = 15
ASK_SECONDS = 60
"""Whoever waits is told when a slot is free. It asks by itself as well, since a word may be lost with a host: every
quarter of a minute at first, then every minute, for about an hour and a half; so its history has a bound."""
BOXES = 40
MARGIN_SECONDS = 7_200
"""A slot is lent for as long as a deployment may work, and for the undoing, which waits for services that are away."""
LET_GO = timedelta(seconds=5)


@orchestration
def deployment(context: Context, request: DeploymentRef) -> Steps[Ended]:
    """Take a project's source to a running app. Whatever happens after the claim, the document tells how it ended."""
    execution = context.new_uuid()
    claimed = yield from call(context, claim_deployment, Claim(**request.model_dump(), execution=execution))
    if not claimed.claimed:
        return Ended(deployment_id=request.deployment_id, status=claimed.status, code="not-claimed")
    waited = yield from _wait_for_slot(context, request, claimed)
    if waited == "granted":
        ended = yield from _deploy(context, request, claimed)
    else:
        ended = yield from call(context, end_deployment, _without_slot(request, waited))
    yield from _leave_slot(context, request)
    progress(context, ended.status)
    return ended


@orchestration
def deployment_steps(context: Context, request: DeploymentRef) -> Steps[Nothing]:
    """The steps up to the app that serves. They end early when the document says that they shall stop."""
    progress(context, Step.VALIDATION, done=PROGRESS[Step.VALIDATION], total=100)
    yield from call(context, validate_deployment, request)
    progress(context, Step.CONTAINER, done=PROGRESS[Step.CONTAINER], total=100)
    workspace = yield from call(context, provision_container, request)
    progress(context, Step.SYNC, done=PROGRESS[Step.SYNC], total=100)
    source = yield from call(context, sync_files, workspace)
    progress(context, Step.BUILD, done=PROGRESS[Step.BUILD], total=100)
    image = yield from _build(context, source)
    progress(context, Step.DEPLOY, done=PROGRESS[Step.DEPLOY], total=100)
    yield from _release(context, request, image)
    return Nothing()


@orchestration
def recover_deployment(context: Context, request: Recovery) -> Steps[Ended]:
    """End a deployment whose orchestration was stopped from outside, or gave up undoing it."""
    known = DeploymentRef(deployment_id=request.deployment_id, organization_id=request.organization_id)
    if request.settled:
        ended = yield from _complete(context, known)
    else:
        # A sub-orchestration outlives its parent: let it see that it shall stop, and wait until it has.
        yield from call(context, stop_deployment, Stop(**known.model_dump(), reason=StopReason.TIMEOUT))
        yield context.create_timer(context.current_utc_datetime + LET_GO)
        lost = TerminalError(
            "The orchestration of this deployment was stopped from outside; the deployment was undone.",
            code=LOST,
            remedy="Retry it.",
        )
        ended = yield from _undo(context, known, lost)
    yield from _leave_slot(context, known)
    return ended


@orchestration
def free_slot(context: Context, request: DeploymentRef) -> Steps[Nothing]:
    """Take back the slot of a deployment that ended without leaving it, and wake whoever waits for it."""
    yield from _leave_slot(context, request)
    return Nothing()


def _deploy(context: Context, request: DeploymentRef, claimed: Claimed) -> Steps[Ended]:
    def interrupt(why: Interruption) -> Steps[Nothing]:
        progress(context, "stopping")
        reason = StopReason.TIMEOUT if why == "timeout" else StopReason.CANCEL
        return call(context, stop_deployment, Stop(**request.model_dump(), reason=reason))

    progress(context, "deploying")
    try:
        yield from race(
            context, deployment_steps, request, event=CANCEL, seconds=claimed.timeout_seconds, interrupt=interrupt
        )
        yield from call(context, settle_deployment, request)
    except TerminalError as error:
        return (yield from _undo(context, request, error))
    return (yield from _complete(context, request))


def _build(context: Context, source: ContextReady) -> Steps[str]:
    for _ in range(BOXES):
        built = yield from call(context, build_image, source)
        if built.done and built.image is not None:
            return built.image
        source = source.model_copy(update={"cursor": built.cursor})
    raise _too_long("The build")


def _release(context: Context, request: DeploymentRef, image: str) -> Steps[None]:
    """Blue-green: the new revision is started without traffic, and gets it once it is healthy."""
    task = ImageReady(**request.model_dump(), image=image)
    for _ in range(BOXES):
        released = yield from call(context, release_revision, task)
        if released.done and released.revision is not None:
            break
        task = task.model_copy(update={"cursor": released.cursor})
    else:
        raise _too_long("The release")
    ready = RevisionReady(**request.model_dump(), revision=released.revision)
    serving = yield from call(context, promote_revision, ready)
    if not serving.custom_domain:
        return
    domain = DomainTask(**request.model_dump())
    for _ in range(BOXES):
        bound = yield from call(context, configure_domain, domain)
        if bound.done:
            return
        domain = domain.model_copy(update={"cursor": bound.cursor})
    raise _too_long("Binding the domain")


def _complete(context: Context, request: DeploymentRef) -> Steps[Ended]:
    try:
        yield from call(context, clean_up, request)
    except TerminalError:
        # The app serves. What is left over stands in the log, and the next deployment's cleanup removes it.
        progress(context, "left something over")
    return (yield from call(context, end_deployment, End(**request.model_dump(), status=DeploymentStatus.COMPLETED)))


def _undo(context: Context, request: DeploymentRef, error: TerminalError) -> Steps[Ended]:
    """The previous revision serves on, nothing of this deployment is left, and its document says why.

    Raises:
        TerminalError: what served before may not serve (`not-undone`). So the deployment has not ended, it keeps its
            slot, and the sweep lets it be undone once more.
    """
    progress(context, "undoing")
    message = error.message
    undo = Undo(**request.model_dump(), code=error.code, message=message[:ERROR_LENGTH], remedy=error.remedy)
    try:
        yield from call(context, roll_back, undo)
    except TerminalError as left:
        if left.code == FINISHING:
            return (yield from _complete(context, request))
        raise TerminalError(
            f"{message} It could not be undone: {left.message}",
            code="not-undone",
            remedy="Let the container platform and the state database answer; it is tried again by itself.",
        ) from None
    try:
        yield from call(context, clean_up, request)
    except TerminalError as left:
        message = f"{message} Undoing it left something over: {left.message}"
    failed = End(
        **request.model_dump(),
        status=DeploymentStatus.FAILED,
        code=error.code,
        message=message[:ERROR_LENGTH],
        remedy=error.remedy,
    )
    return (yield from call(context, end_deployment, failed))


def _wait_for_slot(context: Context, request: DeploymentRef, claimed: Claimed) -> Steps[str]:
    """`granted`, `cancelled`, or `none-free` in the end."""
    for number in range(ASKS):
        asked = SlotRequest(
            wants="acquire",
            deployment_id=request.deployment_id,
            project=claimed.project,
            now=context.current_utc_datetime,
            limit=claimed.limit,
            seconds=claimed.timeout_seconds + MARGIN_SECONDS,
        )
        answer = yield from ask(context, deploy_slots, SLOTS, asked)
        if answer.granted:
            return "granted"
        progress(context, "waiting for a slot", position=answer.position)
        told = yield from wait_for_any(context, (CANCEL, SLOT), SOON_SECONDS if number < SOON_ASKS else ASK_SECONDS)
        if told == CANCEL:
            return "cancelled"
    return "none-free"


def _leave_slot(context: Context, request: DeploymentRef) -> Steps[None]:
    left = SlotRequest(wants="release", deployment_id=request.deployment_id, now=context.current_utc_datetime)
    answer = yield from ask(context, deploy_slots, SLOTS, left)
    if answer.freed:
        yield from call(context, wake_waiting, Wake(released=request.deployment_id, deployment_ids=answer.freed))


def _without_slot(request: DeploymentRef, waited: str) -> End:
    if waited == "cancelled":
        return End(**request.model_dump(), status=DeploymentStatus.CANCELLED)
    return End(
        **request.model_dump(),
        status=DeploymentStatus.FAILED,
        code="no-slot",
        message="Other deployments were at work all the time, and no slot came free.",
        remedy="Retry it later, or let the operator raise MAX_CONCURRENT_DEPLOYMENTS.",
    )


def _too_long(what: str) -> TerminalError:
    return TerminalError(
        f"{what} was not done after {BOXES} time boxes.", code="too-many-time-boxes", remedy="Make it smaller."
    )
