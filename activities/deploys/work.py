"""One step of a deployment at work: its log, its view on a cancel, and what becomes of a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.deploys import store, transitions
from shared.deploys.logs import DeploymentLog
from shared.deploys.models import ERROR_LENGTH, Deployment, DeploymentSpec, DeploymentStatus, Step
from shared.deploys.platforms.base import Box, DeploymentCancelled
from shared.deploys.redaction import Redactor
from shared.deploys.secrets import redactor
from shared.deploys.steps import DeploymentRef
from shared.platform.durable import RetryPolicy
from shared.platform.errors import NotFound, TerminalError, TransientError

BOX_SECONDS: Final = 200.0
LOOKED_SECONDS: Final = 0.4
"""How old the answer to "was it cancelled?" may be: a cancel shall be seen within a second."""
LOOK_SECONDS: Final = 2.0
"""What one look may take: the work goes on while the database hangs."""
SOON: Final = RetryPolicy(attempts=4, first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=4))
"""Between attempts nobody sees a cancel, so they follow one another quickly."""
PATIENT: Final = RetryPolicy(attempts=30, first_delay=timedelta(seconds=1), longest_delay=timedelta(minutes=1))
"""Of what must happen in the end and what no cancel calls off: about 24 minutes, longer than services are away."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What a platform is given for a step."""

    spec: DeploymentSpec
    box: Box


@asynccontextmanager
async def at_work(
    task: DeploymentRef, step: Step, status: DeploymentStatus | None, says: str = ""
) -> AsyncGenerator[Work]:
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
    redact = await redactor_of(found)
    async with DeploymentLog(found.organization_id, found.id, redact) as log:
        await log.write(f"[{step}] {says or status}")
        box = Box(cancelled=_watch(task) if status else _never, log=log.write, seconds=BOX_SECONDS)
        try:
            yield Work(found.spec(), box)
        except DeploymentCancelled:
            await log.write(f"[{step}] stopped")
            raise
        except TerminalError as error:
            text = redact(error.message)[:ERROR_LENGTH]
            await log.write(f"[{step}] failed: {text}\n{redact(error.remedy or '')}")
            await end_step(task, step, text)
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


async def end_step(task: DeploymentRef, step: Step, error: str | None = None) -> Deployment:
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
            async with asyncio.timeout(LOOK_SECONDS):
                found = await store.find(task.deployment_id, task.organization_id)
        except (TransientError, TimeoutError):
            return False  # the next look will tell
        stopped = found is None or found.stop is not None or found.status.ended
        return stopped

    return cancelled


async def _never() -> bool:
    return False


async def redactor_of(deployment: Deployment) -> Redactor:
    try:
        return await redactor(deployment.secrets_reference)
    except NotFound:
        return Redactor(())
