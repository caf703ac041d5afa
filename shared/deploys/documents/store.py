"""The state of deployments in Cosmos DB: one document each, changed only under its ETag, as transitions allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.deploys.models import AppRef, Deployment, DeploymentStatus, Environment, document
from shared.platform.errors import NotFound
from shared.platform.health import Check
from shared.platform.stores.cosmos import Documents, has_cosmos
from shared.platform.stores.paging import each

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOYMENTS: Final = Documents("deployments", partition="organizationId")
EACH: Final = "SELECT * FROM c WHERE c.type = 'deployment'"
STATES_ENDED: Final = ", ".join(f"'{status}'" for status in DeploymentStatus if status.ended)
ENDED: Final = f"{EACH} AND c.status IN ({STATES_ENDED})"
OPEN: Final = f"{EACH} AND c.status NOT IN ({STATES_ENDED})"
FORGOTTEN: Final = 50
"""Deployments in one page of those that had a domain."""
SENT_AGAIN_AFTER: Final = timedelta(minutes=15)
"""A message that the queue accepted and that was not acted on for so long may be lost."""


@dataclass(frozen=True, slots=True)
class DeploymentPage:
    """Some deployments, and where the next page begins."""

    deployments: list[Deployment]
    continuation: str | None


async def create(deployment: Deployment) -> Deployment:
    """Write a new deployment.

    Raises:
        Conflict: there is one of that id (`document-exists`).
    """
    return Deployment.model_validate(await DEPLOYMENTS.create(document(deployment)))


async def find(id_: str, organization: str | None) -> Deployment | None:
    """The deployment, if there is one in this organization, or (None) in any."""
    if organization is not None:
        written = await DEPLOYMENTS.find(id_, organization)
    else:
        page = await DEPLOYMENTS.query("SELECT * FROM c WHERE c.id = @id", {"id": id_}, limit=1)
        written = page.documents[0] if page.documents else None
    return Deployment.model_validate(written) if written and written.get("type") == "deployment" else None


def unknown_deployment(id_: str) -> NotFound:
    """The error of a deployment that is not there."""
    return NotFound(f"There is no deployment {id_}.", code="unknown-deployment")


async def load(id_: str, organization: str | None) -> Deployment:
    """The deployment.

    Raises:
        NotFound: there is none of that id in this organization, or (None) in any.
    """
    deployment = await find(id_, organization)
    if deployment is None:
        raise unknown_deployment(id_)
    return deployment


async def change(id_: str, organization: str, step: Callable[[Deployment, datetime], Deployment]) -> Deployment:
    """Read the deployment, let `step` change it, and write it if nobody else did; else once more from the start.

    A step that gives the deployment as it was writes nothing.

    Raises:
        NotFound: there is none.
        TransientError: somebody else was quicker each time.
        Conflict: what `step` raises.
    """

    def changed(current: dict[str, Any] | None) -> dict[str, Any] | None:
        if current is None:
            raise unknown_deployment(id_)
        before = Deployment.model_validate(current)
        after = step(before, datetime.now(UTC))
        return None if after == before else document(after)

    return Deployment.model_validate(await DEPLOYMENTS.change(id_, organization, changed))


async def of_project(organization: str, project: str, *, limit: int, continuation: str | None = None) -> DeploymentPage:
    """A project's deployments, the newest first."""
    return await _page(
        EACH + " AND c.projectId = @project ORDER BY c.createdAt DESC",
        {"project": project},
        organization,
        limit,
        continuation,
    )


async def of_organization(
    organization: str, *, limit: int, continuation: str | None = None, status: DeploymentStatus | None = None
) -> DeploymentPage:
    """An organization's deployments, the newest first."""
    if status is None:
        query = EACH + " ORDER BY c.createdAt DESC"
    else:
        query = EACH + " AND c.status = @status ORDER BY c.createdAt DESC"
    values = {"status": str(status)} if status else {}
    return await _page(query, values, organization, limit, continuation)


async def find_active(organization: str, project: str) -> Deployment | None:
    """A deployment of the project that has not ended, if there is one."""
    page = await _page(
        OPEN + " AND c.projectId = @project",
        {"project": project},
        organization,
        1,
    )
    return page.deployments[0] if page.deployments else None


async def find_newer_serving(deployment: Deployment) -> Deployment | None:
    """A deployment of the same app that was requested later and serves for good, if there is one."""
    page = await _page(
        EACH + " AND c.projectId = @project AND c.environment = @environment"
        " AND c.status IN ('updating_database', 'completed') AND c.createdAt > @created ORDER BY c.createdAt DESC",
        {
            "project": deployment.project_id,
            "environment": deployment.environment,
            "created": text_of(deployment.created_at),
        },
        deployment.organization_id,
        1,
    )
    return page.deployments[0] if page.deployments else None


async def unsent(now: datetime, *, older_than: timedelta, limit: int) -> list[Deployment]:
    """Accepted deployments that wait though no message may be on its way: never sent, or sent long ago."""
    page = await _page(
        EACH + " AND c.status = 'queued' AND c.claimedBy = null"
        " AND ((c.sentAt = null AND c.createdAt < @created) OR c.sentAt < @sent)",
        {"created": text_of(now - older_than), "sent": text_of(now - SENT_AGAIN_AFTER)},
        None,
        limit,
    )
    return page.deployments


async def stale(now: datetime, *, older_than: timedelta, limit: int, continuation: str | None = None) -> DeploymentPage:
    """Claimed deployments that have not ended and whose document has not changed for so long."""
    return await _page(
        OPEN + " AND c.claimedBy != null AND c.updatedAt < @updated",
        {"updated": text_of(now - older_than)},
        None,
        limit,
        continuation,
    )


async def check() -> None:
    """See that the account answers and that the app may read its deployments."""
    await DEPLOYMENTS.find("health", "health")


PROBE = Check("cosmos", check, needed=has_cosmos)


async def any_open() -> bool:
    """Whether any deployment has not ended."""
    page = await _page(
        OPEN,
        {},
        None,
        1,
        None,
    )
    return bool(page.deployments)


async def ended_before(
    moment: datetime, *, old: datetime, limit: int, continuation: str | None = None
) -> DeploymentPage:
    """Deployments that ended before `moment` and still have variables, or that ended before `old`."""
    return await _page(
        ENDED + " AND c.completedAt < @moment AND (c.secretsReference != null OR c.completedAt < @old)",
        {"moment": text_of(moment), "old": text_of(old)},
        None,
        limit,
        continuation,
    )


async def ended_of_app(app: AppRef, *, limit: int) -> list[Deployment]:
    """Some deployments of the app that have ended."""
    page = await _page(
        ENDED + " AND c.projectId = @project AND c.environment = @environment",
        {"project": app.project_id, "environment": app.environment},
        app.organization_id,
        limit,
    )
    return page.deployments


async def last_completed(organization: str, project: str, environment: Environment) -> Deployment | None:
    """The deployment that serves the project's environment: of those that completed, the one requested last."""
    page = await _page(
        EACH + " AND c.projectId = @project AND c.environment = @environment"
        " AND c.status = 'completed' ORDER BY c.createdAt DESC",
        {"project": project, "environment": environment},
        organization,
        1,
    )
    return page.deployments[0] if page.deployments else None


async def forget_domain(organization: str, project: str, environment: Environment, domain: str) -> None:
    """Note in the ended deployments of an app that it has the domain no more: none that repeats one binds it again."""
    query = ENDED + " AND c.projectId = @project AND c.environment = @environment AND c.customDomain = @domain"
    values = {"project": project, "environment": environment, "domain": domain}

    async def read(_: str | None) -> tuple[list[Deployment], str | None]:
        deployments = (await _page(query, values, organization, FORGOTTEN)).deployments
        return deployments, "first" if deployments else None  # what was changed is gone from the first page

    def without(deployment: Deployment, now: datetime) -> Deployment:
        return deployment.model_copy(update={"custom_domain": None, "custom_domain_url": None, "updated_at": now})

    async for one in each(read):
        await change(one.id, organization, without)


async def share_variables(organization: str, reference: str, *, but: str) -> bool:
    """Whether another deployment than `but` names the same variables."""
    page = await _page(
        EACH + " AND c.secretsReference = @reference AND c.id != @but",
        {"reference": reference, "but": but},
        organization,
        1,
    )
    return bool(page.deployments)


async def is_used(organization: str, project: str, source_hash: str) -> bool:
    """Whether a deployment of the project is kept that has this source."""
    page = await _page(
        EACH + " AND c.projectId = @project AND c.source.hash = @hash",
        {"project": project, "hash": source_hash},
        organization,
        1,
    )
    return bool(page.deployments)


async def delete(deployment: Deployment) -> None:
    """Delete the state document, and first that of its idempotency key. One that is not there is no error."""
    if deployment.key_document is not None:
        await DEPLOYMENTS.delete(deployment.key_document, deployment.organization_id)
    await DEPLOYMENTS.delete(deployment.id, deployment.organization_id)


async def _page(
    query: str,
    values: dict[str, Any],
    organization: str | None,
    limit: int,
    continuation: str | None = None,
) -> DeploymentPage:
    page = await DEPLOYMENTS.query(query, values, partition=organization, limit=limit, continuation=continuation)
    return DeploymentPage([Deployment.model_validate(one) for one in page.documents], page.continuation)


def text_of(moment: datetime) -> str:
    """The time as pydantic writes it into documents, so that texts compare as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
