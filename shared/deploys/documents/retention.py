"""What is kept of deployments, and how the rest is forgotten: variables, state documents, logs and sources.

Kept for good are a project's newest deployment, which the V2 contract repeats, and of each of its environments the one
that serves. A failed one can be retried for as long as it is kept. What ended otherwise needs its variables no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from shared.deploys import sources
from shared.deploys.documents import projects, store
from shared.deploys.models import Deployment, DeploymentStatus
from shared.deploys.running import logs
from shared.deploys.running.steps import Purged
from shared.deploys.secrets import secret_store
from shared.platform.stores import blob_files
from shared.platform.stores.paging import for_each

if TYPE_CHECKING:
    from shared.deploys.models import Project
    from shared.platform.stores.blob_files import ListedBlob

GRACE: Final = timedelta(days=1)
"""Between the last moment at which something can be requested and its removal: no request for it runs any more."""
PAGE: Final = 50
Due = Literal["keep", "forget-variables", "delete"]


def ended_at(deployment: Deployment) -> datetime:
    """When an ended deployment ended. From `retention` after that on it is retried no more."""
    return deployment.completed_at or deployment.updated_at


def due(deployment: Deployment, now: datetime, retention: timedelta, *, newest: bool, serves: bool) -> Due:
    """What becomes of a deployment; `newest` and `serves` say whether it is that of its project and environment."""
    if newest or serves or not deployment.status.ended:
        return "keep"
    age = now - ended_at(deployment)
    if age >= retention + GRACE:
        return "delete"
    may_be_retried = deployment.status is DeploymentStatus.FAILED
    return "keep" if may_be_retried or age < GRACE or not deployment.secrets_reference else "forget-variables"


async def purge_deployments(now: datetime, retention: timedelta, seconds: float, cursor: str | None) -> Purged:
    """Go over the deployments that ended a while ago, for one time box. Repeated, it finds less to do."""
    variables = deployments = 0

    async def read(at: str | None) -> tuple[list[Deployment], str | None]:
        page = await store.ended_before(now - GRACE, old=now - retention - GRACE, limit=PAGE, continuation=at)
        return page.deployments, page.continuation

    async def purge(one: Deployment) -> None:
        nonlocal variables, deployments
        project = await projects.find(one.organization_id, one.project_id)
        newest = project is not None and project.deployment_id == one.id
        what = due(one, now, retention, newest=newest, serves=await _serves(one))
        if what == "keep":
            return
        if one.secrets_reference:
            await _forget_variables(one, one.secrets_reference)
            variables += 1
        if what == "delete":
            await blob_files.delete_blob(logs.CONTAINER, logs.blob_name(one.organization_id, one.id))
            await store.delete(one)
            deployments += 1

    cursor = await for_each(read, purge, cursor=cursor, seconds=seconds)
    return Purged(variables=variables, deployments=deployments, cursor=cursor)


async def purge_sources(now: datetime, retention: timedelta, seconds: float, cursor: str | None) -> Purged:
    """Go over the uploaded sources and delete old ones that no deployment and no project names, for one time box."""
    deleted = 0

    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        page = await blob_files.list_blobs(sources.CONTAINER, limit=PAGE, continuation=at)
        return page.blobs, page.continuation

    async def purge(blob: ListedBlob) -> None:
        nonlocal deleted
        named = blob.name.split("/")
        if now - blob.modified < retention + GRACE or len(named) != 3:  # noqa: PLR2004 - as sources.blob_name has it
            return
        organization, project, source_hash = named
        known = await projects.find(organization, project)
        if not _names(known, source_hash) and not await store.is_used(organization, project, source_hash):
            await blob_files.delete_blob(sources.CONTAINER, blob.name)
            deleted += 1

    cursor = await for_each(read, purge, cursor=cursor, seconds=seconds)
    return Purged(sources=deleted, cursor=cursor)


async def _serves(deployment: Deployment) -> bool:
    if deployment.status is not DeploymentStatus.COMPLETED:
        return False
    serving = await store.last_completed(deployment.organization_id, deployment.project_id, deployment.environment)
    return serving is not None and serving.id == deployment.id


async def _forget_variables(deployment: Deployment, reference: str) -> None:
    """A retry shares the variables of what it retries: whoever is the last to name them deletes them."""
    if not await store.share_variables(deployment.organization_id, reference, but=deployment.id):
        await secret_store().delete(reference)
    await store.change(
        deployment.id,
        deployment.organization_id,
        lambda deployment, now: deployment.model_copy(update={"secrets_reference": None, "updated_at": now}),
    )


def _names(project: Project | None, source_hash: str) -> bool:
    return project is not None and project.source_hash == source_hash
