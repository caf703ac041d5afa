"""How an app or a project is deleted with all that is its, one time box after the other.

Each step looks for the mark of the deletion first: one that is run late, when another has ended the deletion, must not
delete what was deployed anew.
"""

from __future__ import annotations

import logging
from typing import Final

from activities.deploys.running import LONG_RETRIES
from shared.deploys.documents import projects, removal
from shared.deploys.platforms import platform
from shared.deploys.platforms.base import StepContext
from shared.deploys.running.steps import Forgotten, RemoveApp, RemoveApps
from shared.platform.durable import Nothing, activity

BOX_SECONDS: Final = 60

logger = logging.getLogger(__name__)


@activity(retry=LONG_RETRIES)
async def remove_app(task: RemoveApp) -> Nothing:
    """Delete the app where it runs, with its revisions, domains and secrets."""
    if not await projects.is_removing(task.organization_id, task.project_id, [task.environment], task.removal):
        return Nothing()
    await platform().remove(task, StepContext(cancelled=_never, log=_unlogged))
    return Nothing()


@activity(retry=LONG_RETRIES)
async def forget_app(task: RemoveApp) -> Forgotten:
    """Delete the app's deployments, their logs and their variables."""
    if not await projects.is_removing(task.organization_id, task.project_id, [task.environment], task.removal):
        return Forgotten(done=True, deleted=0)
    return await removal.forget_deployments(task, BOX_SECONDS)


@activity(retry=LONG_RETRIES)
async def forget_sources(task: RemoveApps) -> Forgotten:
    """Delete the sources that nothing names any more."""
    if not await projects.is_removing(task.organization_id, task.project_id, task.environments, task.removal):
        return Forgotten(done=True, deleted=0)
    return await removal.forget_sources(task.organization_id, task.project_id, BOX_SECONDS, whole=task.whole)


@activity(retry=LONG_RETRIES)
async def end_removal(task: RemoveApps) -> Nothing:
    """Forget the project, or let its deleted apps be deployed anew."""
    if not await projects.is_removing(task.organization_id, task.project_id, task.environments, task.removal):
        return Nothing()
    await removal.end(task.organization_id, task.project_id, task.removal, whole=task.whole)
    extra = {"organization": task.organization_id, "projectId": task.project_id, "environments": task.environments}
    logger.info("Apps were deleted.", extra=extra)
    return Nothing()


async def _never() -> bool:
    return False


async def _unlogged(_: str) -> None:
    """What the platform writes for a deployment's log has no log here: it is deleted."""
