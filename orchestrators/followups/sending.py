"""A sweep: batches of due mails are claimed, written, handed over and recorded until nothing is due."""

from __future__ import annotations

from activities.followups.sending import (
    claim_followups,
    compose_followup,
    hand_over_followup,
    record_followup,
    settle_followups,
)
from shared.followups.steps import Attempt, ClaimBatch, Record, SweepSummary
from shared.platform.durable import Context, Nothing, Steps, call, fan_out, orchestration, progress

MOST_BATCHES = 100
"""Of one sweep; the next minute's goes on with what is left."""
SETTLED_EVERY = 10
"""Batches: what a worker that died had in its hands is found while a long sweep goes on."""


@orchestration
def send_followups(context: Context, nothing: Nothing) -> Steps[SweepSummary]:
    """Send what is due. Any number of these may run at once."""
    total = SweepSummary()
    for number in range(MOST_BATCHES):
        if number % SETTLED_EVERY == 0:
            yield from call(context, settle_followups, nothing)
        batch = yield from call(context, send_followup_batch, nothing)
        total = total.plus(batch)
        progress(context, "sending", done=total.sent, total=total.claimed, unit="mails")
        if not batch.claimed:
            break
    return total


@orchestration
def send_followup_batch(context: Context, nothing: Nothing) -> Steps[SweepSummary]:  # noqa: ARG001 - it takes one model
    """Claim one batch, write its mails, hand them over, and record what could not be recorded at once."""
    claims = (yield from call(context, claim_followups, ClaimBatch(batch=context.instance_id))).claims
    written = yield from fan_out(context, compose_followup, claims)
    ready = [result.task for result in written if result.value is not None and result.value.ready]
    attempts = yield from fan_out(context, hand_over_followup, ready)
    done = [result.value for result in attempts if result.value is not None]
    unrecorded = [
        Record(claim=attempt.claim, outcome=attempt.outcome)
        for attempt in done
        if attempt.outcome and not attempt.recorded
    ]
    yield from fan_out(context, record_followup, unrecorded)
    return _summary(len(claims), done)


def _summary(claimed: int, attempts: list[Attempt]) -> SweepSummary:
    kinds = [attempt.outcome.kind for attempt in attempts if attempt.outcome]
    return SweepSummary(
        claimed=claimed,
        sent=kinds.count("accepted"),
        failed=kinds.count("refused"),
        postponed=kinds.count("postponed"),
        unknown=kinds.count("unknown"),
        held_back=claimed - len(kinds),
    )
