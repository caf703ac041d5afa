"""Accepts deployments: the state document is written first, then the message sent; a sweep mends what lies between."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.deploys import sources
from shared.deploys.documents import keys, projects, store
from shared.deploys.documents.retention import ended_at
from shared.deploys.documents.transitions import in_progress
from shared.deploys.models import (
    ArchiveSource,
    Deployment,
    DeploymentStatus,
    DeployRequest,
    GitSource,
    Parameters,
    Source,
)
from shared.deploys.requests import queue, variables
from shared.deploys.requests.source import source_of
from shared.deploys.requests.variables import Joined
from shared.deploys.secrets import GIT_TOKEN, secret_store
from shared.deploys.settings import settings
from shared.platform.errors import Conflict, InvalidInput, NotFound, TransientError

SWEPT: Final = 100
"""Deployments in one page of a sweep."""

logger = logging.getLogger(__name__)


async def accept_once(request: DeployRequest, key: str) -> tuple[Deployment, bool]:
    """Accept the deployment of this idempotency key, and whether an earlier request with the key was accepted instead.

    Raises:
        Conflict: the key was sent with another request before (`idempotency-key-reused`).
        InvalidInput: as `accept`.
    """
    digest, now = _digest(request), datetime.now(UTC)
    claimed = await keys.find(request.organization_id, key)
    deployment = await store.find(claimed, request.organization_id) if claimed else None
    if deployment is None:
        deployment = await _accept(request, now, key=key, digest=digest)
    replayed = deployment.created_at != now
    if deployment.request_hash != digest or not await _has_values(deployment, request):
        raise Conflict(
            "This idempotency key was sent with another request before.",
            code="idempotency-key-reused",
            remedy="Send a new key with each new request.",
        )
    return deployment, replayed


async def accept(request: DeployRequest) -> Deployment:
    """Accept a deployment. It will run even if the queue does not answer now.

    A source that the request names becomes its project's newest: one that went to an upload URL is known by nothing
    else.

    Raises:
        InvalidInput: there is nothing to deploy, the source was never uploaded, or its git URL is refused.
        Conflict: the app is being deleted (`removal-in-progress`).
    """
    return await _accept(request, datetime.now(UTC))


async def _accept(
    request: DeployRequest, now: datetime, *, key: str | None = None, digest: str | None = None
) -> Deployment:
    """With a key, the deployment of another request that is quicker is given instead, whatever that one asks for."""
    projects.require_kept(await projects.find(request.organization_id, request.project_id), request.environment)
    source = await source_of(request)
    if (request.source_hash or request.files) and isinstance(source, ArchiveSource):
        await projects.update(request.organization_id, request.project_id, source_hash=source.hash)
    joined = await variables.join(
        request.organization_id, request.project_id, _own_values(request), request.plain_variables
    )
    reference = joined.reference
    parameters = Parameters.model_validate(request.model_dump(include=set(Parameters.model_fields)))
    new = _new(parameters, source, joined, now)
    if key is not None:
        changes = {"request_hash": digest, "key_document": keys.document_id(key)}
        new = new.model_copy(update={**changes, "id": await keys.claim(new, key)})
    deployment = await _submit(new)
    if reference is not None and deployment.secrets_reference != reference:
        await secret_store().delete(reference)  # another request with the id was quicker
    return deployment


async def retry(organization: str | None, id_: str) -> Deployment:
    """Accept a failed deployment anew: every parameter, the same source, the same variables.

    Raises:
        NotFound: there is no such deployment.
        InvalidInput: it has not failed (`not-failed`), or too long ago (`retry-too-late`).
    """
    failed = await store.load(id_, organization)
    if failed.status is not DeploymentStatus.FAILED:
        raise InvalidInput(
            f"Deployment {id_} is {failed.status}: only a failed one is retried.",
            code="not-failed",
            remedy="Start a new deployment.",
        )
    days = settings().deployment_retention_days
    if datetime.now(UTC) >= ended_at(failed) + timedelta(days=days):
        raise InvalidInput(
            f"Deployment {id_} failed more than {days} days ago: its source and variables are kept no longer.",
            code="retry-too-late",
            remedy="Start a new deployment.",
        )
    parameters = Parameters.model_validate(failed.model_dump(include=set(Parameters.model_fields)))
    joined = Joined(failed.secrets_reference, failed.plain_variables, failed.project_variables)
    deployment = _new(parameters, failed.source, joined)
    return await _submit(deployment.model_copy(update={"original_deployment_id": failed.id}))


async def roll_back(organization: str | None, id_: str) -> Deployment:
    """Deploy an earlier version anew: its source and parameters, with the variables of the version that serves.

    Raises:
        NotFound: there is no such deployment.
        InvalidInput: it has not completed (`not-completed`), its source is kept no more (`source-not-found`), or it
            was the newest commit of a branch and nobody knows which (`commit-unknown`).
    """
    earlier = await store.load(id_, organization)
    if earlier.status is not DeploymentStatus.COMPLETED:
        raise InvalidInput(
            f"Deployment {id_} is {earlier.status}: only one that completed is a version to go back to.",
            code="not-completed",
            remedy="Choose one that completed.",
        )
    source = earlier.source
    if isinstance(source, GitSource):
        source = source.model_copy(update={"commit": source.commit or earlier.fetched_commit})
        if source.commit is None:
            raise InvalidInput(
                f"Which commit of {source.branch} deployment {id_} was is not known.",
                code="commit-unknown",
                remedy="Send a new request with the commitSha.",
            )
    if isinstance(earlier.source, ArchiveSource):
        await sources.require(earlier.organization_id, earlier.project_id, earlier.source.hash)
    serving = await store.last_completed(earlier.organization_id, earlier.project_id, earlier.environment)
    parameters = Parameters.model_validate(earlier.model_dump(include=set(Parameters.model_fields)))
    deployment = _new(parameters, source, await variables.renew(serving or earlier, earlier))
    return await _submit(deployment.model_copy(update={"original_deployment_id": earlier.id}))


async def redeploy(organization: str, project: str, user: str, custom_domain: str | None) -> Deployment:
    """Deploy a known project as it was deployed last, with its newest source: what the V2 contract asks for.

    Raises:
        NotFound: nothing was ever uploaded or deployed for the project (`unknown-project`).
        Conflict: a deployment of it has not ended (`deployment-in-progress`).
    """
    newest = await store.of_project(organization, project, limit=1)
    if not newest.deployments and await projects.find(organization, project) is None:
        raise NotFound(
            f"There is no project {project}.", code="unknown-project", remedy="Upload its source, or use POST /deploy."
        )
    await projects.reserve(organization, project)
    try:
        return await _redeploy(organization, project, user, custom_domain)
    except BaseException:
        await projects.release(organization, project)
        raise


async def _redeploy(organization: str, project: str, user: str, custom_domain: str | None) -> Deployment:
    if (active := await store.find_active(organization, project)) is not None:
        raise in_progress(active)
    newest = await store.of_project(organization, project, limit=1)
    if not newest.deployments:
        request = DeployRequest(
            project_id=project,
            user_id=user,
            organization_id=organization,
            project_name=project,
            custom_domain=custom_domain,
        )
        return await accept(request)
    [last] = newest.deployments
    changes = {"user_id": user, "custom_domain": custom_domain or last.custom_domain}
    parameters = Parameters.model_validate(last.model_dump(include=set(Parameters.model_fields)) | changes)
    source = last.source
    known = await projects.find(organization, project)
    if isinstance(source, ArchiveSource) and known is not None and known.source_hash is not None:
        source = ArchiveSource(hash=known.source_hash)
    return await _submit(_new(parameters, source, await variables.renew(last, last)))


async def send_unsent(older_than: timedelta) -> int:
    """Send what was accepted and may never have reached the queue; how many were sent."""
    unsent = await store.unsent(datetime.now(UTC), older_than=older_than, limit=SWEPT)
    sent = 0
    for deployment in unsent:
        sent += await queue.enqueue(deployment, again=True)
    if unsent:
        logger.info("Accepted deployments were sent again.", extra={"found": len(unsent), "sent": sent})
    return sent


def _new(parameters: Parameters, source: Source, joined: Joined, now: datetime | None = None) -> Deployment:
    now = now or datetime.now(UTC)
    return Deployment(
        **parameters.model_copy(update={"plain_variables": joined.plain}).model_dump(),
        id=f"dep_{base64.b32encode(secrets.token_bytes(10)).decode()[:12]}",
        source=source,
        secrets_reference=joined.reference,
        project_variables=joined.inherited,
        created_at=now,
        updated_at=now,
    )


def _digest(request: DeployRequest) -> str:
    """Of all that was requested but for the values of variables, which a hash would not hide; they are compared."""
    fields = request.model_dump(mode="json", exclude={"env_variables"})
    return hashlib.sha256(json.dumps([fields, sorted(request.env_variables)]).encode()).hexdigest()


def _own_values(request: DeployRequest) -> dict[str, str]:
    own = {name: value.get_secret_value() for name, value in request.env_variables.items()}
    return own if request.git_token is None else {**own, GIT_TOKEN: request.git_token.get_secret_value()}


async def _has_values(deployment: Deployment, request: DeployRequest) -> bool:
    """Whether the deployment was given the request's values; once they are forgotten, they count as such."""
    own = _own_values(request)
    if not own or deployment.secrets_reference is None:  # whether it had any is in the digest
        return True
    try:
        kept = await secret_store().get(deployment.secrets_reference)
    except NotFound:
        return True
    return all(hmac.compare_digest(kept.get(name, "").encode(), value.encode()) for name, value in own.items())


async def _submit(deployment: Deployment) -> Deployment:
    """Write the deployment and queue it. Once it is written it is accepted, whatever else cannot be done now.

    Only a deletion of its app that began at the same moment takes it back. That one looks for deployments after it has
    left its mark in the project, and this looks for the mark after it has left its document: one of the two sees the
    other.

    Raises:
        Conflict: its app is being deleted (`removal-in-progress`).
    """
    try:
        projects.require_kept(
            await projects.find(deployment.organization_id, deployment.project_id), deployment.environment
        )
    except Conflict:
        await variables.forget(deployment)
        raise
    created = await _create(deployment)
    fields = {"deployment": created.id}
    try:
        known = await projects.update(created.organization_id, created.project_id, deployment_id=created.id)
        if created.environment in known.removing:
            await variables.forget(created)
            await store.delete(created)
        projects.require_kept(known, created.environment)
        if not await queue.enqueue(created):
            logger.warning("The queue did not accept a deployment; the sweep will send it.", extra=fields)
    except TransientError as error:
        logger.warning("The sweep will send a deployment again: %s", error, extra=fields)
    return created


async def _create(deployment: Deployment) -> Deployment:
    """The document, written. Its id is new: if the answer does not arrive, the one that is there is this one."""
    try:
        return await store.create(deployment)
    except (TransientError, Conflict):
        written = await store.find(deployment.id, deployment.organization_id)
        if written is None:
            raise
        return written
