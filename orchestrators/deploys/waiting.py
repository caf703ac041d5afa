"""What a deployment waits for before its steps: that no other task hub works on its project, and a slot."""

from __future__ import annotations

from typing import Literal

from activities.deploys.outcome import claim_deployment
from activities.deploys.slots import deploy_slots, wake_waiting
from shared.deploys.models import DeploymentStatus
from shared.deploys.running.steps import SLOTS, Claim, Claimed, DeploymentRef, End, SlotRequest, Wake
from shared.platform.durable import Context, Steps, call, call_entity, progress, wait_for_any_event

SlotOutcome = Literal["granted", "cancelled", "none-free"]

CANCEL = "cancel"
SLOT = "slot"
REQUESTS = 110
FIRST_REQUESTS = 20
FIRST_SECONDS = 15
REQUEST_SECONDS = 60
"""A waiting deployment gets an event when a slot is free. It also asks by itself, since an event may not arrive: every
quarter of a minute at first, then every minute, for about an hour and a half; so its history has a bound."""
MARGIN_SECONDS = 7_200
"""A slot is lent for as long as a deployment may work, and for the undoing, which waits for services that are away."""


def wait_for_turn(context: Context, claim: Claim, claimed: Claimed) -> Steps[tuple[SlotOutcome, Claimed]]:
    """Wait until no other task hub works on the project, a cancel, or until it has been asked for often enough."""
    for number in range(REQUESTS):
        progress(context, "waiting for another task hub")
        event = yield from wait_for_any_event(context, (CANCEL,), _pause(number))
        if event == CANCEL:
            return "cancelled", claimed
        claimed = yield from call(context, claim_deployment, claim)
        if claimed.turn or not claimed.claimed:
            return "granted", claimed
    return "none-free", claimed


def _pause(number: int) -> int:
    return FIRST_SECONDS if number < FIRST_REQUESTS else REQUEST_SECONDS


def wait_for_slot(context: Context, ref: DeploymentRef, claimed: Claimed) -> Steps[SlotOutcome]:
    """Wait for a slot, a cancel, or until it has been asked for often enough."""
    for number in range(REQUESTS):
        request = SlotRequest(
            wants="acquire",
            deployment_id=ref.deployment_id,
            project=claimed.project,
            now=context.current_utc_datetime,
            limit=claimed.limit,
            seconds=claimed.timeout_seconds + MARGIN_SECONDS,
        )
        answer = yield from call_entity(context, deploy_slots, SLOTS, request)
        if answer.granted:
            return "granted"
        progress(context, "waiting for a slot", position=answer.position)
        event = yield from wait_for_any_event(context, (CANCEL, SLOT), _pause(number))
        if event == CANCEL:
            return "cancelled"
    return "none-free"


def release_slot(context: Context, ref: DeploymentRef) -> Steps[None]:
    """Give the slot back, if it was granted one, and notify those that wait for one."""
    request = SlotRequest(wants="release", deployment_id=ref.deployment_id, now=context.current_utc_datetime)
    answer = yield from call_entity(context, deploy_slots, SLOTS, request)
    if answer.freed:
        yield from call(context, wake_waiting, Wake(released=ref.deployment_id, deployment_ids=answer.freed))


def without_slot(ref: DeploymentRef, slot: SlotOutcome) -> End:
    """How a deployment ends that came to no slot."""
    if slot == "cancelled":
        return End(**ref.model_dump(), status=DeploymentStatus.CANCELLED)
    return End(
        **ref.model_dump(),
        status=DeploymentStatus.FAILED,
        code="no-slot",
        message="Other deployments were at work all the time, and no slot came free.",
        remedy="Retry it later, or let the operator raise MAX_CONCURRENT_DEPLOYMENTS.",
    )
