"""Routes of deployments: request one, follow, cancel and retry it.

Callers act for their own organization; the operator, with the admin key, for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field, StringConstraints

from orchestrators.deploys.waiting import CANCEL
from shared.deploys.documents import store, transitions
from shared.deploys.documents.figures import counts
from shared.deploys.models import (
    CancelReason,
    Deployment,
    DeploymentStatus,
    DeployRequest,
    HostName,
    Name,
    Wire,
)
from shared.deploys.platforms import platform
from shared.deploys.platforms.base import AppHealth
from shared.deploys.requests import answers, intake
from shared.deploys.requests.answers import (
    AppLog,
    DeploymentAccepted,
    DeploymentCancelAnswer,
    DeploymentLogPage,
    DeploymentRetried,
    DeploymentState,
    OrganizationDeployments,
)
from shared.deploys.running import logs
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient, Nothing
from shared.platform.errors import Conflict, InvalidInput, ManifoldError, NotFound
from shared.platform.http import PageQuery, Pagination, Reply, Routes
from shared.platform.models import LazyModel
from triggers.deploys.callers import READ, WRITE, require_own, scope_of

BODY_BYTES = 2_000_000
"""Of a request that brings files: base64, and what JSON escapes."""

logger = logging.getLogger(__name__)
routes = Routes(tag="deploys")
HEALTH_QUERY_SECONDS = 3
A = TypeVar("A", bound=DeploymentAccepted)


class IdempotencyKey(LazyModel):
    """The caller's name for one deployment, by which a repeated request is recognised."""

    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[!-~]+$")


class StatusQuery(PageQuery):
    """Which part of a list, and only those with that status."""

    status: DeploymentStatus | None = None


class LogsQuery(LazyModel):
    """From where on to read the log."""

    model_config = ConfigDict(extra="forbid")
    after: int = Field(default=0, ge=0, le=2**40, description="`next` of the answer before")
    limit: int = Field(default=logs.READ_BYTES, ge=1_024, le=1_000_000, description="Most bytes of one answer")


class V2Request(Wire):
    """A request as the system before the replaced one took it."""

    project_id: Name
    org_id: Name
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    custom_domain: HostName | None = None


@routes.post("/deploy", needs=WRITE, summary="Deploy a project", status=202, limit=BODY_BYTES)
async def deploys_start(body: DeployRequest, headers: IdempotencyKey, caller: Caller) -> Reply[DeploymentAccepted]:
    """Goes on by itself; the status is at Location.

    Of a project, one deployment runs at a time, and one that was requested earlier never replaces a later one. A
    repeated request with the same `Idempotency-Key` gives the first deployment again, marked `Idempotency-Replayed`.
    """
    require_own(caller, body.organization_id)
    if headers.idempotency_key is None:
        return _accepted(answers.accepted(await intake.accept(body)))
    accepted, replayed = await intake.accept_once(body, headers.idempotency_key)
    return _accepted(answers.accepted(accepted), {"Idempotency-Replayed": "true"} if replayed else {})


@routes.post("/api/deploy", needs=WRITE, summary="Deploy a project as before (V2)", status=202)
async def deploys_start_v2(body: V2Request, caller: Caller) -> Reply[DeploymentAccepted]:
    """With the parameters of its last deployment. 404 for an unknown project, 409 while one of it is at work."""
    require_own(caller, body.org_id)
    deployment = await intake.redeploy(body.org_id, body.project_id, body.user_id, body.custom_domain)
    return _accepted(answers.accepted(deployment))


@routes.get("/deploy/{id}/status", needs=READ, summary="The status of a deployment")
async def deploys_status(id: Name, caller: Caller) -> DeploymentState:  # noqa: A002 - the name in the path
    """With how its app is doing: a completed one whose app keeps ending is shown as not healthy, with its restarts."""
    deployment = await store.load(id, scope_of(caller))
    return answers.state(deployment, await _health(deployment))


@routes.get("/deploy/{id}/logs", needs=READ, summary="The log of a deployment")
async def deploys_logs(id: Name, query: LogsQuery, caller: Caller) -> DeploymentLogPage:  # noqa: A002 - as above
    """Follow it by sending `next` as `after`. The values of the app's variables are hidden."""
    deployment = await store.load(id, scope_of(caller))
    text, following = await logs.read(deployment.organization_id, deployment.id, after=query.after, limit=query.limit)
    return DeploymentLogPage(
        deployment_id=id, lines=text.splitlines(), next=following, complete=deployment.status.ended and not text
    )


@routes.get("/deploy/{id}/app-log", needs=READ, summary="The end of the deployed app's log")
async def deploys_app_log(id: Name, caller: Caller) -> AppLog:  # noqa: A002 - as above
    """Its last 16 KB at most, while it runs. The values of its variables are hidden."""
    deployment = await store.load(id, scope_of(caller))
    tail = await platform().log_tail(deployment.spec())
    return AppLog(deployment_id=id, lines=tail.splitlines())


@routes.post("/deploy/{id}/cancel", needs=WRITE, summary="Cancel a deployment")
async def deploys_cancel(id: Name, caller: Caller, client: DurableClient) -> DeploymentCancelAnswer:  # noqa: A002 - as above
    """What it has done is undone, and the version before keeps serving. 400 once it has completed or failed."""
    deployment = await store.load(id, scope_of(caller))
    if deployment.status is DeploymentStatus.CANCELLED:
        return DeploymentCancelAnswer(
            deployment_id=id, status=deployment.status, message="The deployment is cancelled."
        )
    try:
        deployment = await store.change(
            id,
            deployment.organization_id,
            lambda deployment, now: transitions.request_cancel(deployment, CancelReason.REQUEST, now),
        )
    except Conflict as refused:
        raise InvalidInput(refused.message, code=refused.code, remedy=refused.remedy) from None
    with suppress(ManifoldError):  # it has not started, or has just ended: the document has all that is needed
        await client.raise_event(id, CANCEL, Nothing())
    return DeploymentCancelAnswer(
        deployment_id=id, status=deployment.status, message="The deployment is being cancelled; what it did is undone."
    )


@routes.post("/deploy/{id}/retry", needs=WRITE, summary="Retry a failed deployment", status=202)
async def deploys_retry(id: Name, caller: Caller) -> Reply[DeploymentRetried]:  # noqa: A002 - as above
    """A new deployment with all that the failed one was given. 400 for one that has not failed."""
    deployment = await intake.retry(scope_of(caller), id)
    answer = DeploymentRetried(
        **answers.accepted(deployment).model_dump(), original_deployment_id=id, new_deployment_id=deployment.id
    )
    return _accepted(answer)


@routes.post("/deploy/{id}/rollback", needs=WRITE, summary="Go back to an earlier version", status=202)
async def deploys_rollback(id: Name, caller: Caller) -> Reply[DeploymentRetried]:  # noqa: A002 - as above
    """A new deployment of what a completed one was made from, with the variables of the one that serves now."""
    deployment = await intake.roll_back(scope_of(caller), id)
    answer = DeploymentRetried(
        **answers.accepted(deployment).model_dump(), original_deployment_id=id, new_deployment_id=deployment.id
    )
    return _accepted(answer)


@routes.get("/status/deployments/{organizationId}", needs=READ, summary="An organization's deployments")
async def deploys_of_organization(
    organizationId: Name,  # noqa: N803 - the name in the path
    query: StatusQuery,
    caller: Caller,
) -> OrganizationDeployments:
    """Newest first, with counts by status."""
    if scope_of(caller) not in (None, organizationId):
        raise NotFound(f"There is no organization {organizationId}.", code="unknown-organization")
    page = await store.of_organization(
        organizationId, limit=query.limit, continuation=query.cursor, status=query.status
    )
    return OrganizationDeployments(
        organization_id=organizationId,
        counts=await counts(organizationId),
        data=[answers.summary(deployment) for deployment in page.deployments],
        pagination=Pagination(limit=query.limit, next=page.continuation),
    )


async def _health(deployment: Deployment) -> AppHealth | None:
    """None where the app does not run, or cannot be asked now: the deployment's own state is shown in any case."""
    if deployment.status is not DeploymentStatus.COMPLETED:
        return None
    try:
        async with asyncio.timeout(HEALTH_QUERY_SECONDS):
            return await platform().health(deployment.spec())
    except (ManifoldError, TimeoutError) as error:
        logger.info("The health of an app was not read: %s", error, extra={"deployment": deployment.id})
        return None


def _accepted(body: A, more: Mapping[str, str] | None = None) -> Reply[A]:
    headers = {"Location": f"/deploy/{body.deployment_id}/status", "Retry-After": "2"}
    return Reply(body, status=202, headers={**headers, **(more or {})})
