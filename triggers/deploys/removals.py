"""Routes that delete an app, or a project, with all that is its."""

from __future__ import annotations

import base64
import hashlib
import logging
from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from uuid import UUID

from orchestrators.deploys.removal import remove_apps
from shared.deploys.documents import projects, store
from shared.deploys.documents.transitions import in_progress
from shared.deploys.models import Environment, Name, Project
from shared.deploys.requests.answers import RemovalStarted
from shared.deploys.running.steps import RemoveApps
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient
from shared.platform.errors import ManifoldError, NotFound
from shared.platform.http import Reply, Routes
from shared.platform.stores.paging import for_each
from triggers.deploys.callers import WRITE, OrganizationQuery, organization_of

logger = logging.getLogger(__name__)
routes = Routes(tag="deploys")
ENVIRONMENTS: Final[list[Environment]] = list(get_args(Environment))


@routes.delete("/deploy/project/{id}", needs=WRITE, summary="Delete a project", status=202)
async def deploys_delete_project(
    id: Name,  # noqa: A002 - the name in the path
    query: OrganizationQuery,
    caller: Caller,
    client: DurableClient,
) -> Reply[RemovalStarted]:
    """Its apps with their domains and secrets, its deployments, logs, variables and sources.

    409 while a deployment of it is under way. Repeated, it goes on where it was; once all is deleted, it answers 404.
    """
    organization = organization_of(caller, query.organizationId)
    task = RemoveApps(organization_id=organization, project_id=id, environments=ENVIRONMENTS, whole=True)
    return await _remove(task, client)


@routes.delete("/deploy/project/{id}/apps/{environment}", needs=WRITE, summary="Delete an app", status=202)
async def deploys_delete_app(
    id: Name,  # noqa: A002 - as above
    environment: Environment,
    query: OrganizationQuery,
    caller: Caller,
    client: DurableClient,
) -> Reply[RemovalStarted]:
    """One environment of a project, as above. The project and its newest source stay, for what is deployed next."""
    organization = organization_of(caller, query.organizationId)
    task = RemoveApps(organization_id=organization, project_id=id, environments=[environment], whole=False)
    return await _remove(task, client)


async def _remove(task: RemoveApps, client: DurableClient) -> Reply[RemovalStarted]:
    organization, project = task.organization_id, task.project_id
    known = await projects.find(organization, project)
    if known is None and not (await store.of_project(organization, project, limit=1)).deployments:
        raise NotFound(f"There is no project {project}.", code="unknown-project")
    if not await client.runs(_instance(task)):
        removal = await projects.begin_removal(organization, project, task.environments)
        await _require_idle(organization, project, removal)
        task = task.model_copy(update={"removal": removal})
        # A request at the same moment may have started it.
        await client.start_if_idle(remove_apps, task, instance_id=_instance(task))
    what = "project" if task.whole else "app"
    answer = RemovalStarted(
        project_id=project, environments=task.environments, message=f"The {what} is being deleted with all that is its."
    )
    return Reply(answer, status=202, headers={"Location": f"/deploy/project/{project}", "Retry-After": "2"})


async def resume(client: DurableClient, older_than: timedelta) -> None:
    """Start deletions again whose orchestration has failed, was terminated, or never began."""

    async def read(at: str | None) -> tuple[list[Project], str | None]:
        page = await projects.removing(datetime.now(UTC), older_than=older_than, continuation=at)
        return page.projects, page.continuation

    await for_each(read, lambda project: _resume(client, project))


async def _resume(client: DurableClient, project: Project) -> None:
    task = RemoveApps(
        organization_id=project.organization_id,
        project_id=project.project_id,
        environments=project.removing,
        whole=project.removing == ENVIRONMENTS,
        removal=project.removal,
    )
    if await client.runs(_instance(task)):
        return
    logger.warning("A deletion does not run, and is started again.", extra={"projectId": project.project_id})
    try:
        await client.start(remove_apps, task, instance_id=_instance(task))
    except ManifoldError as error:
        logger.warning("A deletion was not started: %s", error, extra={"projectId": project.project_id})


async def _require_idle(organization: str, project: str, removal: UUID | None) -> None:
    """See that no deployment of the project is under way, else withdraw the mark.

    It is looked for after the mark, so that a deployment that is accepted at this moment sees the mark or is seen here.
    """
    if (active := await store.find_active(organization, project)) is not None:
        await projects.end_removal(organization, project, removal, {})
        raise in_progress(active)


def _instance(task: RemoveApps) -> str:
    """One for each app and project, so that a repeated request does not start it twice."""
    name = "/".join((task.organization_id, task.project_id, *task.environments))
    return f"deploys-removal-{base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:26].lower()}"
