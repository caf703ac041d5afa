"""Routes of projects: upload a source, list a project's deployments, release its domains."""

from __future__ import annotations

from pydantic import Field

from shared.deploys import sources
from shared.deploys.documents import project_lists, projects, store
from shared.deploys.models import Environment, HostName, Name, SourceHash, Wire
from shared.deploys.platforms import platform
from shared.deploys.requests import answers
from shared.deploys.requests.answers import (
    Deployments,
    DomainReleased,
    Organizations,
    Projects,
    SourceStored,
    SourceUploadUrl,
)
from shared.platform.access.auth import Caller
from shared.platform.errors import NotFound
from shared.platform.http import PageQuery, Pagination, Routes
from triggers.deploys.callers import READ, WRITE, OrganizationQuery, organization_of, scope_of

routes = Routes(tag="deploys")


class EnvironmentQuery(OrganizationQuery):
    """Which of a project's environments, and whose."""

    environment: Environment = "development"


class ListQuery(PageQuery):
    """Which part of a list, and whose."""

    organizationId: Name | None = None  # noqa: N815 - the name on the wire


class UploadRequest(Wire):
    """The archive that will be sent."""

    source_hash: SourceHash = Field(description="sha256 of its bytes, in hexadecimal")


@routes.get("/deploy/project/{id}", needs=READ, summary="A project's deployments, newest first")
async def deploys_of_project(id: Name, query: ListQuery, caller: Caller) -> Deployments:  # noqa: A002 - as above
    organization = organization_of(caller, query.organizationId)
    page = await store.of_project(organization, id, limit=query.limit, continuation=query.cursor)
    return Deployments(
        data=[answers.summary(deployment) for deployment in page.deployments],
        pagination=Pagination(limit=query.limit, next=page.continuation),
    )


@routes.get("/deploy/projects", needs=READ, summary="The projects, last changed first")
async def deploys_projects(query: ListQuery, caller: Caller) -> Projects:
    """Of the key's organization; with the admin key of all, or of the one that is named."""
    own = scope_of(caller)
    organization = query.organizationId if own is None else organization_of(caller, query.organizationId)
    page, following = await project_lists.page(organization, limit=query.limit, before=query.cursor)
    return Projects(
        data=[answers.project(project) for project in page],
        pagination=Pagination(limit=query.limit, next=following),
    )


@routes.get("/deploy/organizations", needs=READ, summary="The organizations that have projects, by name")
async def deploys_organizations(query: PageQuery, caller: Caller) -> Organizations:
    """With a key, its own alone."""
    if (own := scope_of(caller)) is not None:
        return Organizations(data=[own], pagination=Pagination(limit=query.limit))
    names, following = await project_lists.organizations(limit=query.limit, after=query.cursor)
    return Organizations(data=names, pagination=Pagination(limit=query.limit, next=following))


@routes.put(
    "/deploy/project/{id}/source",
    needs=WRITE,
    summary="Upload a project's source",
    limit=sources.ROUTE_BYTES,
    status=201,
)
async def deploys_upload_source(
    id: Name,  # noqa: A002 - as above
    query: OrganizationQuery,
    body: bytes,
    caller: Caller,
) -> SourceStored:
    """A zip or tar.gz of up to 50 MB, which becomes the project's newest source. Larger ones go to an upload URL."""
    organization = organization_of(caller, query.organizationId)
    projects.require_kept(await projects.find(organization, id))
    source_hash = await sources.store_archive(organization, id, body)
    await projects.update(organization, id, source_hash=source_hash)
    return SourceStored(project_id=id, source_hash=source_hash, size=len(body))


@routes.post("/deploy/project/{id}/source/upload-url", needs=WRITE, summary="Where to upload a large source")
async def deploys_upload_url(
    id: Name,  # noqa: A002 - as above
    query: OrganizationQuery,
    body: UploadRequest,
    caller: Caller,
) -> SourceUploadUrl:
    """PUT the archive there within a quarter of an hour, then deploy with its `sourceHash`."""
    signed = await sources.upload_url(organization_of(caller, query.organizationId), id, body.source_hash)
    return SourceUploadUrl(
        url=signed.url, expires_at=signed.expires_at, headers=signed.headers, source_hash=body.source_hash
    )


@routes.delete("/deploy/project/{id}/domains/{domain}", needs=WRITE, summary="Release a custom domain")
async def deploys_release_domain(
    id: Name,  # noqa: A002 - as above
    domain: HostName,
    query: EnvironmentQuery,
    caller: Caller,
) -> DomainReleased:
    """The app keeps its own address; the domain can then be deployed with another app. One not bound is no error."""
    organization = organization_of(caller, query.organizationId)
    serving = await store.last_completed(organization, id, query.environment)
    if serving is None:
        raise NotFound(f"No {query.environment} of the project {id} serves.", code="unknown-project")
    await platform().release_domain(serving.spec(), domain)
    await store.forget_domain(organization, id, query.environment, domain)
    return DomainReleased(project_id=id, domain=domain)
