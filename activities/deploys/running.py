"""One running step of a deployment: its log, its check for a cancel, and how its errors are recorded."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.deploys.cancellation import Cancelled, DeploymentCancelled
from shared.deploys.documents import store, transitions
from shared.deploys.models import ERROR_LENGTH, Deployment, DeploymentSpec, DeploymentStatus, LogMark, Step
from shared.deploys.platforms.base import StepContext
from shared.deploys.running import logs
from shared.deploys.running.steps import DeploymentRef
from shared.deploys.secrets import redactor
from shared.platform.durable import STEP_FAILED, UNEXPECTED, RetryPolicy
from shared.platform.errors import ManifoldError, NotFound, TerminalError, TransientError
from shared.platform.redaction import Redactor

BOX_SECONDS: Final = 200.0
CHECK_INTERVAL_SECONDS: Final = 0.4
"""How old the answer to "is it cancelled?" may be: a cancel is to be seen within a second."""
CHECK_SECONDS: Final = 2.0
"""What one check may take: the step goes on while the database hangs."""
SHORT_RETRIES: Final = RetryPolicy(attempts=4, first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=4))
"""Between attempts nobody sees a cancel, so they follow one another quickly."""
LONG_RETRIES: Final = RetryPolicy(attempts=30, first_delay=timedelta(seconds=1), longest_delay=timedelta(minutes=1))
"""Of what has to happen in the end and is not cancelled: about 24 minutes, longer than services are unavailable."""
CAUSE_LENGTH: Final = 8_000
"""Characters of a stack in the host's log: its end, where the error is."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningStep:
    """What a platform is given for a step."""

    spec: DeploymentSpec
    context: StepContext


@asynccontextmanager
async def running_step(
    ref: DeploymentRef, step: Step, status: DeploymentStatus | None, intro: str = "", *, cursor: str | None = None
) -> AsyncGenerator[RunningStep]:
    """The deployment running the step, with its log and its check for a cancel. Errors go to the log and the document.

    A status of None is for undoing and cleaning up, which is not cancelled. The step, its intro and the cursor of its
    time box tell whether the box is run again: what it has written to the log is not written again. A log that cannot
    be written never decides how the step ends, nor does a document what kind of error it ended in.

    Raises:
        TerminalError: as the block raises it, without the values of secrets.
        TransientError: whatever else the block raised, without the values of secrets.
    """
    box = hashlib.sha256(f"{step}\n{intro}\n{cursor or ''}".encode()).hexdigest()[:16]
    size = await _log_size(ref)
    mark = None if size is None else LogMark(box=box, offset=size)
    deployment = await change(ref, lambda deployment, now: transitions.begin_step(deployment, step, status, now, mark))
    redact = await redactor_of(deployment)
    written = await _written(deployment, size)
    log = logs.DeploymentLog(deployment.organization_id, deployment.id, redact, written, size)
    cancelled = _cancel_check(ref) if status else _never
    try:
        await log.write(f"[{step}] {intro or status}")
        yield RunningStep(deployment.spec(), StepContext(cancelled=cancelled, log=log.write, seconds=BOX_SECONDS))
        await log.write_last()
    except DeploymentCancelled:
        await log.write_last(f"[{step}] cancelled")
        raise
    except TerminalError as error:
        text = redact(error.message)[:ERROR_LENGTH]
        await log.write_last(f"[{step}] failed: {text}\n{error.remedy or ''}")
        try:
            await end_step(ref, step, text)
        except ManifoldError as unwritten:
            logger.warning("The end of a step was not recorded: %s", unwritten, extra={"deployment": ref.deployment_id})
        raise TerminalError(text, code=error.code, remedy=error.remedy and redact(error.remedy)) from None
    except TransientError as error:
        text = redact(error.message)
        await log.write_last(f"[{step}] will be tried again: {text}")
        raise TransientError(text, code=error.code, remedy=error.remedy and redact(error.remedy)) from None
    except Exception:  # noqa: BLE001 - whatever an adapter's library raises
        # Its text is for the operator; neither the history nor a log gets it with a secret in it.
        cause = redact(traceback.format_exc())[-CAUSE_LENGTH:]
        logger.warning("A step of a deployment failed.", extra={"step": step, "cause": cause})
        text = f"The step {step} failed for a reason that was not expected."
        await log.write_last(f"[{step}] will be tried again: {text}")
        raise TransientError(text, code=STEP_FAILED, remedy=UNEXPECTED) from None


async def _log_size(ref: DeploymentRef) -> int | None:
    """Bytes of the deployment's log; None where that cannot be read now."""
    try:
        return await logs.size(ref.organization_id, ref.deployment_id)
    except TransientError as error:
        logger.warning(
            "The size of a deployment's log was not read: %s", error, extra={"deployment": ref.deployment_id}
        )
        return None


async def _written(deployment: Deployment, size: int | None) -> list[str]:
    """The lines that an earlier run of the time box has written; none where they cannot be read now."""
    first = deployment.log_mark
    if first is None or size is None or first.offset >= size:
        return []
    try:
        return await logs.lines_from(deployment.organization_id, deployment.id, first.offset)
    except TransientError as error:
        logger.warning("A deployment's log was not read: %s", error, extra={"deployment": deployment.id})
        return []


async def change(ref: DeploymentRef, step: Callable[[Deployment, datetime], Deployment]) -> Deployment:
    """Change the deployment's document, unless another task hub has taken it over.

    Raises:
        Conflict: one has (TAKEN), or what `step` raises.
    """

    def fenced(deployment: Deployment, now: datetime) -> Deployment:
        transitions.require_hub(deployment, ref.hub)
        return step(deployment, now)

    return await store.change(ref.deployment_id, ref.organization_id, fenced)


async def end_step(ref: DeploymentRef, step: Step, error: str | None = None) -> Deployment:
    """Record the end of the step in the deployment's document."""
    return await change(ref, lambda deployment, now: transitions.end_step(deployment, step, error, now))


async def supersede_if_older(ref: DeploymentRef) -> None:
    """Cancel the deployment if one of the same app that was requested later serves for good.

    Raises:
        DeploymentCancelled: it was.
        Conflict: it has ended already.
    """
    deployment = await store.load(ref.deployment_id, ref.organization_id)
    newer = await store.find_newer_serving(deployment)
    if newer is None:
        return
    after = await change(ref, lambda deployment, now: transitions.supersede(deployment, newer, now))
    if after.status.ended:
        raise transitions.ended(after)
    raise DeploymentCancelled(f"Deployment {newer.id} of the same app was requested later, and serves already.")


def _cancel_check(ref: DeploymentRef) -> Cancelled:
    """Whether the deployment is cancelled, read from its document at most every CHECK_INTERVAL_SECONDS."""
    cancelled = False
    due = 0.0

    async def check() -> bool:
        nonlocal cancelled, due
        now = asyncio.get_running_loop().time()
        if cancelled or now < due:
            return cancelled
        due = now + CHECK_INTERVAL_SECONDS
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                deployment = await store.find(ref.deployment_id, ref.organization_id)
        except (TransientError, TimeoutError):
            return False  # the next check will see it
        cancelled = deployment is None or deployment.cancel_reason is not None or deployment.status.ended
        cancelled = cancelled or (ref.hub is not None and deployment is not None and deployment.hub != ref.hub)
        return cancelled

    return check


async def _never() -> bool:
    return False


async def redactor_of(deployment: Deployment) -> Redactor:
    """What hides the deployment's variables; nothing, once they are deleted."""
    try:
        return await redactor(deployment.secrets_reference, deployment.plain_variables)
    except NotFound:
        return Redactor(())
