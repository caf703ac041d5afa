"""How all that is kept of an app or a project is deleted: documents, logs, variables and sources.

Everything is named by its organization first, so nothing of another one is looked at. Repeated, it finds less to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.deploys import sources
from shared.deploys.documents import projects, store
from shared.deploys.running import logs
from shared.deploys.running.steps import Forgotten
from shared.deploys.secrets import secret_store
from shared.platform.stores import blob_files
from shared.platform.stores.paging import for_each

if TYPE_CHECKING:
    from uuid import UUID

    from shared.deploys.models import AppRef, Deployment

PAGE: Final = 50


async def forget_deployments(app: AppRef, seconds: float) -> Forgotten:
    """Delete the app's deployments with their logs and variables, for one time box. Those that have not ended stay."""
    deleted = 0

    async def read(_: str | None) -> tuple[list[Deployment], str | None]:
        deployments = await store.ended_of_app(app, limit=PAGE)
        return deployments, "first" if deployments else None  # what was used is gone from the first page

    async def forget(one: Deployment) -> None:
        nonlocal deleted
        await _forget(one)
        deleted += 1

    left = await for_each(read, forget, seconds=seconds)
    return Forgotten(done=left is None, deleted=deleted)


async def forget_sources(organization: str, project: str, seconds: float, *, whole: bool) -> Forgotten:
    """Delete the project's sources that neither a kept deployment nor the kept project names, for one time box."""
    deleted = 0
    known = None if whole else await projects.find(organization, project)

    async def read(at: str | None) -> tuple[list[blob_files.ListedBlob], str | None]:
        prefix = f"{organization}/{project}/"
        page = await blob_files.list_blobs(sources.CONTAINER, limit=PAGE, prefix=prefix, continuation=at)
        return page.blobs, page.continuation

    async def forget(blob: blob_files.ListedBlob) -> None:
        nonlocal deleted
        source_hash = blob.name.rpartition("/")[2]
        named = known is not None and known.source_hash == source_hash
        if not named and not await store.is_used(organization, project, source_hash):
            await blob_files.delete_blob(sources.CONTAINER, blob.name)
            deleted += 1

    left = await for_each(read, forget, seconds=seconds)
    return Forgotten(done=left is None, deleted=deleted)


async def end(organization: str, project: str, removal: UUID | None, *, whole: bool) -> None:
    """Forget the project, or that something of it was being deleted. Its newest deployment is one that is left."""
    if whole:
        known = await projects.find(organization, project)
        if known is not None and known.variables_reference is not None:
            await secret_store().delete(known.variables_reference)
        await projects.delete(organization, project)
        return
    left = await store.of_project(organization, project, limit=1)
    newest = left.deployments[0].id if left.deployments else None
    await projects.end_removal(organization, project, removal, {"deployment_id": newest})


async def _forget(deployment: Deployment) -> None:
    """The document last: it names the rest. A retry shares the variables of what it retries: the last deletes them."""
    reference = deployment.secrets_reference
    if reference and not await store.share_variables(deployment.organization_id, reference, but=deployment.id):
        await secret_store().delete(reference)
    await blob_files.delete_blob(logs.CONTAINER, logs.blob_name(deployment.organization_id, deployment.id))
    await store.delete(deployment)
