"""Routes of the deploy workload: upload a source, deploy it, follow, cancel and retry.

Callers act for their own organization; the operator, with the admin key, for each.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orchestrators.deploys.deployment import CANCEL
from shared.deploys import answers, intake, logs, sources, store, transitions
from shared.deploys.answers import (
    AppLog,
    DeploymentAccepted,
    DeploymentCancelAnswer,
    DeploymentLogPage,
    DeploymentRetried,
    Deployments,
    DeploymentState,
    OrganizationDeployments,
    Projects,
    SourceStored,
    SourceUploadUrl,
)
from shared.deploys.models import (
    CancelReason,
    DeploymentStatus,
    DeployRequest,
    HostName,
    Name,
    SourceHash,
    Wire,
)
from shared.deploys.platforms import platform
from shared.deploys.steps import Nothing
from shared.platform.api_keys import ApiKey
from shared.platform.auth import ALL, Caller
from shared.platform.durable import DurableClient
from shared.platform.errors import Conflict, Forbidden, InvalidInput, ManifoldError, NotFound
from shared.platform.http import PageQuery, Pagination, Reply, Routes

routes = Routes(tag="deploys")
READ = ApiKey("deploys:read")
WRITE = ApiKey("deploys:write")
LOG_BYTES = 65_536
A = TypeVar("A", bound=DeploymentAccepted)


class IdempotencyKey(BaseModel):
    """The caller's name for one deployment, by which a repeated request is recognised."""

    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[!-~]+$")


class OrganizationQuery(BaseModel):
    """Whose: needed with the admin key, else the key's own."""

    model_config = ConfigDict(extra="forbid")
    organizationId: Name | None = None  # noqa: N815 - the name on the wire


class ListQuery(PageQuery):
    """Which part of a list, and whose."""

    organizationId: Name | None = None  # noqa: N815 - the name on the wire


class StatusQuery(PageQuery):
    """Which part of a list, and only those with that status."""

    status: DeploymentStatus | None = None


class LogsQuery(BaseModel):
    """From where on to read the log."""

    model_config = ConfigDict(extra="forbid")
    after: int = Field(default=0, ge=0, le=2**40, description="`next` of the answer before")
    limit: int = Field(default=LOG_BYTES, ge=1_024, le=1_000_000, description="Most bytes of one answer")


class V2Request(Wire):
    """A request as the system before the replaced one took it."""

    project_id: Name
    org_id: Name
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    custom_domain: HostName | None = None


class UploadRequest(Wire):
    """The archive that will be sent."""

    source_hash: SourceHash = Field(description="sha256 of its bytes, in hexadecimal")


@routes.post("/deploy", needs=WRITE, summary="Deploy a project", status=202)
async def deploys_start(body: DeployRequest, headers: IdempotencyKey, caller: Caller) -> Reply[DeploymentAccepted]:
    """Goes on by itself; the status is at Location.

    Of a project, one deployment runs at a time, and one that was requested earlier never replaces a later one. A
    repeated request with the same `Idempotency-Key` gives the first deployment again, marked `Idempotency-Replayed`.
    """
    _own(caller, body.organization_id)
    if headers.idempotency_key is None:
        return _accepted(answers.accepted(await intake.accept(body)))
    accepted, replayed = await intake.accept_once(body, headers.idempotency_key)
    return _accepted(answers.accepted(accepted), {"Idempotency-Replayed": "true"} if replayed else {})


@routes.post("/api/deploy", needs=WRITE, summary="Deploy a project as before (V2)", status=202)
async def deploys_start_v2(body: V2Request, caller: Caller) -> Reply[DeploymentAccepted]:
    """With the parameters of its last deployment. 404 for an unknown project, 409 while one of it is at work."""
    _own(caller, body.org_id)
    accepted = await intake.redeploy(body.org_id, body.project_id, body.user_id, body.custom_domain)
    return _accepted(answers.accepted(accepted))


@routes.get("/deploy/{id}/status", needs=READ, summary="The status of a deployment")
async def deploys_status(id: Name, caller: Caller) -> DeploymentState:  # noqa: A002 - the name in the path
    return answers.state(await store.load(id, _scope(caller)))


@routes.get("/deploy/{id}/logs", needs=READ, summary="The log of a deployment")
async def deploys_logs(id: Name, query: LogsQuery, caller: Caller) -> DeploymentLogPage:  # noqa: A002 - as above
    """Follow it by sending `next` as `after`. The values of the app's variables are hidden."""
    found = await store.load(id, _scope(caller))
    text, following = await logs.read(found.organization_id, found.id, after=query.after, limit=query.limit)
    return DeploymentLogPage(
        deployment_id=id, lines=text.splitlines(), next=following, complete=found.status.ended and not text
    )


@routes.get("/deploy/{id}/app-log", needs=READ, summary="The end of the deployed app's log")
async def deploys_app_log(id: Name, caller: Caller) -> AppLog:  # noqa: A002 - as above
    """Its last 300 lines or 16 KB, while it runs. The values of its variables are hidden."""
    found = await store.load(id, _scope(caller))
    tail = await platform().log_tail(found.spec())
    return AppLog(deployment_id=id, lines=tail.splitlines())


@routes.post("/deploy/{id}/cancel", needs=WRITE, summary="Cancel a deployment")
async def deploys_cancel(id: Name, caller: Caller, client: DurableClient) -> DeploymentCancelAnswer:  # noqa: A002 - as above
    """What it has done is undone, and the version before keeps serving. 400 once it has completed or failed."""
    known = await store.load(id, _scope(caller))
    if known.status is DeploymentStatus.CANCELLED:
        return DeploymentCancelAnswer(deployment_id=id, status=known.status, message="The deployment is cancelled.")
    try:
        found = await store.change(
            id, known.organization_id, lambda one, now: transitions.request_cancel(one, CancelReason.REQUEST, now)
        )
    except Conflict as refused:
        raise InvalidInput(refused.message, code=refused.code, remedy=refused.remedy) from None
    with suppress(ManifoldError):  # it has not started, or has just ended: the document has all that is needed
        await client.raise_event(id, CANCEL, Nothing())
    return DeploymentCancelAnswer(
        deployment_id=id, status=found.status, message="The deployment is being cancelled; what it did is undone."
    )


@routes.post("/deploy/{id}/retry", needs=WRITE, summary="Retry a failed deployment", status=202)
async def deploys_retry(id: Name, caller: Caller) -> Reply[DeploymentRetried]:  # noqa: A002 - as above
    """A new deployment with all that the failed one was given. 400 for one that has not failed."""
    again = await intake.retry(_scope(caller), id)
    answer = DeploymentRetried(
        **answers.accepted(again).model_dump(), original_deployment_id=id, new_deployment_id=again.id
    )
    return _accepted(answer)


@routes.get("/deploy/project/{id}", needs=READ, summary="A project's deployments, newest first")
async def deploys_of_project(id: Name, query: ListQuery, caller: Caller) -> Deployments:  # noqa: A002 - as above
    organization = _organization(caller, query.organizationId)
    page = await store.of_project(organization, id, limit=query.limit, continuation=query.cursor)
    return Deployments(
        data=[answers.summary(one) for one in page.deployments],
        pagination=Pagination(limit=query.limit, next=page.continuation),
    )


@routes.get("/deploy/projects", needs=READ, summary="The projects")
async def deploys_projects(query: ListQuery, caller: Caller) -> Projects:
    """Of the key's organization; with the admin key of all, or of the one that is named."""
    own = _scope(caller)
    organization = query.organizationId if own is None else _organization(caller, query.organizationId)
    page = await store.projects(organization, limit=query.limit, continuation=query.cursor)
    return Projects(
        data=[answers.project(one) for one in page.projects],
        pagination=Pagination(limit=query.limit, next=page.continuation),
    )


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
    organization = _organization(caller, query.organizationId)
    source_hash = await sources.store_archive(organization, id, body)
    await store.update_project(organization, id, source_hash=source_hash)
    return SourceStored(project_id=id, source_hash=source_hash, size=len(body))


@routes.post("/deploy/project/{id}/source/upload-url", needs=WRITE, summary="Where to upload a large source")
async def deploys_upload_url(
    id: Name,  # noqa: A002 - as above
    query: OrganizationQuery,
    body: UploadRequest,
    caller: Caller,
) -> SourceUploadUrl:
    """PUT the archive there within a quarter of an hour, then deploy with its `sourceHash`."""
    signed = await sources.upload_url(_organization(caller, query.organizationId), id, body.source_hash)
    return SourceUploadUrl(
        url=signed.url, expires_at=signed.expires_at, headers=signed.headers, source_hash=body.source_hash
    )


@routes.get("/status/deployments/{organizationId}", needs=READ, summary="An organization's deployments")
async def deploys_of_organization(
    organizationId: Name,  # noqa: N803 - the name in the path
    query: StatusQuery,
    caller: Caller,
) -> OrganizationDeployments:
    """Newest first, with counts by status."""
    if _scope(caller) not in (None, organizationId):
        raise NotFound(f"There is no organization {organizationId}.", code="unknown-organization")
    page = await store.of_organization(
        organizationId, limit=query.limit, continuation=query.cursor, status=query.status
    )
    return OrganizationDeployments(
        organization_id=organizationId,
        counts=await store.counts(organizationId),
        data=[answers.summary(one) for one in page.deployments],
        pagination=Pagination(limit=query.limit, next=page.continuation),
    )


def _scope(caller: Caller) -> str | None:
    """The organization whose documents the caller may see; None: all."""
    if caller.may(ALL):
        return None
    if caller.organization is None:
        raise Forbidden(
            f"The key of {caller.name} names no organization.",
            code="organization-missing",
            remedy="Ask the operator for a key with one.",
        )
    return caller.organization


def _organization(caller: Caller, organization: str | None) -> str:
    """The organization that the caller acts for."""
    own = _scope(caller)
    if own is None and organization is None:
        raise InvalidInput("The admin key acts for every organization.", field="organizationId", remedy="Name one.")
    if own is not None and organization not in (None, own):
        raise _not_own(own)
    return own or organization or ""


def _own(caller: Caller, organization: str) -> None:
    if (own := _scope(caller)) not in (None, organization):
        raise _not_own(own or "")


def _not_own(own: str) -> Forbidden:
    return Forbidden(
        "The key is another organization's.", code="other-organization", remedy=f"Act for {own}, the key's own."
    )


def _accepted(body: A, more: Mapping[str, str] | None = None) -> Reply[A]:
    headers = {"Location": f"/deploy/{body.deployment_id}/status", "Retry-After": "2"}
    return Reply(body, status=202, headers={**headers, **(more or {})})
