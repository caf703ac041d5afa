"""The states of a deployment: one table, forward only, and what each change does to the state document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.deploys.models import (
    CANCEL_CODE,
    ERROR_LENGTH,
    FINISHING,
    PROGRESS,
    SUPERSEDED,
    TAKEN,
    CancelReason,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    LogMark,
    Step,
    StepWork,
)
from shared.platform.errors import Conflict

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

ENDED: Final = "deployment-ended"
"""Code of the error of changing a deployment that has ended."""
CLAIMED: Final = "deployment-claimed"

_S = DeploymentStatus
WORKING: Final = (
    _S.VALIDATING,
    _S.PROVISIONING_CONTAINER,
    _S.SYNCING_FILES,
    _S.BUILDING_IMAGE,
    _S.PUSHING_REGISTRY,
    _S.DEPLOYING,
    _S.CONFIGURING_DOMAIN,
    _S.UPDATING_DATABASE,
)
ORDER: Final = (_S.IDLE, _S.QUEUED, *WORKING, _S.COMPLETED)

MAY_BECOME: Final[dict[DeploymentStatus, frozenset[DeploymentStatus]]] = {
    **{before: frozenset({*ORDER[at + 1 :], _S.FAILED, _S.CANCELLED}) for at, before in enumerate(ORDER)},
    _S.IDLE: frozenset({_S.QUEUED}),
    # What has not worked cannot have completed.
    _S.QUEUED: frozenset({*WORKING, _S.FAILED, _S.CANCELLED}),
    # The point of no return: the revision serves, and the one that it replaced is being removed.
    _S.UPDATING_DATABASE: frozenset({_S.COMPLETED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}


def advance(deployment: Deployment, status: DeploymentStatus, now: datetime) -> Deployment:
    """The deployment one status further; unchanged where it stands there already.

    Raises:
        Conflict: it has ended (`deployment-ended`), it is being cancelled (CANCEL_CODE), or it is past that status
            (`illegal-transition`).
    """
    if deployment.status is status:
        return deployment
    if deployment.status.ended:
        raise ended(deployment)
    if deployment.cancel_reason and status not in (_S.FAILED, _S.CANCELLED):
        raise _cancelled(deployment)
    if deployment.cancel_reason is not None and deployment.cancel_reason.ends_cancelled:
        # The cancel was accepted, so it is the end, whatever else went wrong meanwhile.
        status = _S.CANCELLED
    if status not in MAY_BECOME[deployment.status]:
        raise Conflict(
            f"Deployment {deployment.id} is {deployment.status} and cannot become {status}.", code="illegal-transition"
        )
    change: dict[str, object] = {"status": status, "updated_at": now}
    if status.ended:
        change["completed_at"] = now
    if status is _S.COMPLETED:
        change["progress"] = PROGRESS[Step.CLEANUP]
    return deployment.model_copy(update=change)


def require_hub(deployment: Deployment, hub: UUID | None) -> None:
    """See that the deployment is still this task hub's (None: one that did not say so when it began).

    Raises:
        Conflict: another task hub has taken it over (TAKEN).
    """
    if hub is not None and deployment.hub not in (None, hub):
        raise Conflict(f"Another task hub has taken deployment {deployment.id} over.", code=TAKEN)


def take_over(deployment: Deployment, seen: Deployment, hub: UUID, now: datetime) -> Deployment:
    """The deployment, from now on this task hub's: what the one before still does to it is refused.

    Raises:
        Conflict: it is not as it was seen any more, so somebody works on it (TAKEN), or it has ended.
    """
    if deployment.status.ended:
        raise ended(deployment)
    if (deployment.hub, deployment.updated_at) != (seen.hub, seen.updated_at):
        raise Conflict(f"Deployment {deployment.id} is at work.", code=TAKEN)
    return deployment.model_copy(update={"hub": hub, "updated_at": now})


def claim(deployment: Deployment, execution: str, now: datetime, hub: UUID | None = None) -> Deployment:
    """The deployment, claimed by this execution of this task hub and no other.

    Raises:
        Conflict: another execution (`deployment-claimed`) or another task hub (TAKEN) has it, or it has ended.
    """
    if deployment.status.ended:
        raise ended(deployment)
    require_hub(deployment, hub)
    if deployment.claimed_by not in (None, execution):
        raise Conflict(f"Deployment {deployment.id} is running already.", code=CLAIMED)
    return deployment.model_copy(update={"claimed_by": execution, "hub": hub, "updated_at": now})


def begin_step(
    deployment: Deployment, step: Step, status: DeploymentStatus | None, now: datetime, mark: LogMark | None = None
) -> Deployment:
    """The deployment running the step. Repeated, the step keeps the time it first began at.

    With a status of None the step belongs to the undoing: neither a cancel nor the order of statuses is looked at.
    """
    changed = deployment
    if status is not None:
        changed = (
            advance(deployment, status, now)
            if _is_before(deployment.status, status)
            else _require_not_cancelled(deployment)
        )
    known = [one.name for one in changed.steps]
    steps = changed.steps if step in known else [*changed.steps, StepWork(name=step, started_at=now)]
    begun = PROGRESS[Step.DEPLOY if step is Step.CLEANUP else step]
    same_box = mark is None or (deployment.log_mark is not None and deployment.log_mark.box == mark.box)
    progress = changed.progress if status is None else max(changed.progress, begun)
    return changed.model_copy(
        update={
            "steps": steps,
            "progress": progress,
            "started_at": changed.started_at or now,
            "updated_at": now,
            "log_mark": deployment.log_mark if same_box else mark,
        }
    )


def end_step(deployment: Deployment, step: Step, error: str | None, now: datetime) -> Deployment:
    """The deployment with the step's outcome, which is not changed once it is known."""
    steps = [
        one.model_copy(update={"ended_at": now, "success": error is None, "error": error and error[:ERROR_LENGTH]})
        if one.name is step and one.success is None
        else one
        for one in deployment.steps
    ]
    return deployment.model_copy(update={"steps": steps, "updated_at": now})


def request_cancel(deployment: Deployment, reason: CancelReason, now: datetime) -> Deployment:
    """The deployment with a cancel requested. One that has not started is cancelled at once.

    Raises:
        Conflict: it has ended, or it serves already and only cleans up (`deployment-finishing`).
    """
    if deployment.status.ended:
        raise ended(deployment)
    if deployment.status is _S.UPDATING_DATABASE:
        raise Conflict(
            f"Deployment {deployment.id} serves already and is cleaning up.",
            code=FINISHING,
            remedy="Deploy the version that you want instead.",
        )
    if deployment.cancel_reason is not None and deployment.cancel_reason.ends_cancelled:
        return deployment
    requested = deployment.model_copy(update={"cancel_reason": reason, "updated_at": now})
    if reason.ends_cancelled and deployment.status is _S.QUEUED:
        return advance(requested, _S.CANCELLED, now)
    return requested


def supersede(deployment: Deployment, newer: Deployment, now: datetime) -> Deployment:
    """The deployment, cancelled since a newer one of the same app serves. One that has not started ends at once.

    Raises:
        Conflict: as `request_cancel`.
    """
    cancelled = request_cancel(deployment, CancelReason.SUPERSEDED, now)
    error = DeploymentError(
        code=SUPERSEDED,
        message=f"Deployment {newer.id} of the same app was requested later, and serves already.",
        details="Deploy again if this version is to replace it.",
        timestamp=now,
    )
    by_request = cancelled.cancel_reason is CancelReason.REQUEST
    return cancelled if by_request else cancelled.model_copy(update={"error": cancelled.error or error})


def end(deployment: Deployment, status: DeploymentStatus, error: DeploymentError | None, now: datetime) -> Deployment:
    """The deployment at its end. One that has ended stays as it is; one whose cancel was accepted is cancelled.

    Raises:
        Conflict: it is being cancelled and would complete (CANCEL_CODE): undo first, then end it otherwise.
    """
    if deployment.status.ended:
        return deployment
    ended_ = advance(deployment, status, now)
    for one in ended_.steps:
        if one.success is None:
            ended_ = end_step(ended_, one.name, None if ended_.status is _S.COMPLETED else str(ended_.status), now)
    if ended_.cancel_reason is CancelReason.SUPERSEDED:
        return ended_
    return ended_.model_copy(update={"error": error if ended_.status is _S.FAILED else None})


def ended(deployment: Deployment) -> Conflict:
    """The error of changing a deployment that has ended."""
    return Conflict(f"Deployment {deployment.id} is {deployment.status} already.", code=ENDED)


def in_progress(deployment: Deployment) -> Conflict:
    """The error of what is not to be done while a deployment of the project is under way."""
    return Conflict(
        f"Deployment {deployment.id} of the project is {deployment.status}.",
        code="deployment-in-progress",
        remedy="Wait until it has ended, or cancel it.",
    )


def _is_before(status: DeploymentStatus, other: DeploymentStatus) -> bool:
    return status.ended or ORDER.index(status) < ORDER.index(other)


def _require_not_cancelled(deployment: Deployment) -> Deployment:
    if deployment.cancel_reason:
        raise _cancelled(deployment)
    return deployment


def _cancelled(deployment: Deployment) -> Conflict:
    return Conflict(f"Deployment {deployment.id} is being cancelled ({deployment.cancel_reason}).", code=CANCEL_CODE)
