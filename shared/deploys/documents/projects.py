"""What is known of projects, in the same container as their deployments: one document each, changed under its ETag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from shared.deploys.documents import store
from shared.deploys.documents.store import DEPLOYMENTS
from shared.deploys.models import Environment, Project, document
from shared.platform.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from shared.deploys.models import Deployment

PAGE: Final = 50
_REMOVING: Final = "SELECT * FROM c WHERE c.type = 'project' AND IS_DEFINED(c.removing[0])"
RESERVED_FOR: Final = timedelta(seconds=30)
"""Longer than accepting a deployment takes; a request that ended half-way keeps others out for no longer."""


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """Some projects, and where the next page begins."""

    projects: list[Project]
    continuation: str | None


async def find(organization: str, project: str) -> Project | None:
    """What is known of the project, if anything was uploaded or deployed for it."""
    written = await DEPLOYMENTS.find(_project_id(project), organization)
    return Project.model_validate(written) if written else None


async def removing(now: datetime, *, older_than: timedelta, continuation: str | None = None) -> ProjectPage:
    """Projects of which something is being deleted and whose document has not changed for so long."""
    answer = await DEPLOYMENTS.query(
        f"{_REMOVING} AND c.updatedAt < @updated",
        {"updated": store.text_of(now - older_than)},
        limit=PAGE,
        continuation=continuation,
    )
    return ProjectPage([Project.model_validate(one) for one in answer.documents], answer.continuation)


async def any_removing() -> bool:
    """Whether anything is being deleted."""
    return bool((await DEPLOYMENTS.query(_REMOVING, {}, limit=1)).documents)


async def update(
    organization: str, project: str, *, source_hash: str | None = None, deployment_id: str | None = None
) -> Project:
    """Keep the project's newest source or deployment, whichever is given. A deployment ends a reservation."""
    news: dict[str, object] = {"source_hash": source_hash} if source_hash else {}
    if deployment_id:
        news |= {"deployment_id": deployment_id, "reserved_until": None}
    return await _change(organization, project, lambda known, _: known.model_copy(update=news))


async def reserve(organization: str, project: str) -> None:
    """Let one request alone look whether a deployment of the project is under way, and accept one if not.

    Raises:
        Conflict: another request has reserved it (`deployment-in-progress`).
    """

    def reserve(known: Project, now: datetime) -> Project:
        if known.reserved_until is not None and known.reserved_until > now:
            raise Conflict(
                f"Another request is deploying project {project}.",
                code="deployment-in-progress",
                remedy="Wait until that deployment has ended, or cancel it.",
            )
        return known.model_copy(update={"reserved_until": now + RESERVED_FOR})

    await _change(organization, project, reserve)


async def release(organization: str, project: str) -> None:
    """End the reservation of a request that has not deployed."""
    await _change(organization, project, lambda known, _: known.model_copy(update={"reserved_until": None}))


async def set_variables(
    organization: str, project: str, *, seen: str | None, reference: str | None, plain: Iterable[str]
) -> None:
    """Note where the project's variables are kept now.

    Raises:
        Conflict: they are not those that were seen (`variables-changed`), or the project is being deleted.
    """
    names = sorted(plain)

    def note(known: Project, _: datetime) -> Project:
        require_kept(known)
        if known.variables_reference != seen:
            raise Conflict(f"The variables of {project} were changed by somebody else.", code="variables-changed")
        return known.model_copy(update={"variables_reference": reference, "plain_variables": names})

    await _change(organization, project, note)


async def begin_removal(organization: str, project: str, environments: list[Environment]) -> UUID | None:
    """Note that these environments are being deleted: from now on nothing is deployed to them. Which deletion that is.

    Raises:
        Conflict: others of the project are being deleted (`removal-in-progress`).
    """

    def begin(known: Project, _: datetime) -> Project:
        if not known.removing:
            return known.model_copy(update={"removing": environments, "removal": uuid4()})
        if known.removing != environments:
            raise _removing(known)
        return known

    return (await _change(organization, project, begin)).removal


async def is_removing(organization: str, project: str, environments: list[Environment], removal: UUID | None) -> bool:
    """Whether these environments are being deleted, by this deletion and no later one."""
    known = await find(organization, project)
    return known is not None and known.removal == removal and set(environments) <= set(known.removing)


async def end_removal(organization: str, project: str, removal: UUID | None, news: Mapping[str, object]) -> None:
    """Note that this deletion has ended, or was withdrawn, and what is known else by now."""

    def end(known: Project, _: datetime) -> Project:
        if known.removal != removal:
            return known
        return known.model_copy(update={"removing": [], "removal": None, **news})

    await _change(organization, project, end)


async def take_turn(deployment: Deployment, hub: UUID) -> bool:
    """Let the deployment work unless those of another task hub may be at work on its project; whether it may.

    Each hub lets one deployment of a project work at a time, and knows nothing of the other's.
    """
    known = await find(deployment.organization_id, deployment.project_id)
    over = {id_ for id_ in (known.working if known else {}) if await _is_over(id_, deployment)}
    turn = True

    def enter(known: Project, _: datetime) -> Project:
        nonlocal turn
        working = {id_: whose for id_, whose in known.working.items() if id_ not in over}
        turn = all(whose == hub for id_, whose in working.items() if id_ != deployment.id)
        return known.model_copy(update={"working": working | ({deployment.id: hub} if turn else {})})

    await _change(deployment.organization_id, deployment.project_id, enter)
    return turn


async def _is_over(id_: str, beside: Deployment) -> bool:
    other = await store.find(id_, beside.organization_id) if id_ != beside.id else beside
    return other is None or other.status.ended


async def delete(organization: str, project: str) -> None:
    """Forget the project. One that is not known is no error."""
    await DEPLOYMENTS.delete(_project_id(project), organization)


def require_kept(known: Project | None, environment: Environment | None = None) -> None:
    """See that the project's environment, or (None) nothing of the project, is being deleted.

    Raises:
        Conflict: it is (`removal-in-progress`).
    """
    if known is not None and (environment in known.removing if environment else known.removing):
        raise _removing(known)


def _removing(known: Project) -> Conflict:
    return Conflict(
        f"Of the project {known.project_id}, {' and '.join(known.removing)} are being deleted.",
        code="removal-in-progress",
        remedy="Wait until that has ended. If it does not, send the same DELETE again.",
    )


async def _change(organization: str, project: str, step: Callable[[Project, datetime], Project]) -> Project:
    def changed(written: dict[str, Any] | None) -> dict[str, Any]:
        now = datetime.now(UTC)
        id_ = _project_id(project)
        new = Project(id=id_, organization_id=organization, project_id=project, updated_at=now)
        known = Project.model_validate(written) if written else new
        return document(step(known, now).model_copy(update={"updated_at": now}))

    return Project.model_validate(await DEPLOYMENTS.change(_project_id(project), organization, changed))


def _project_id(project: str) -> str:
    return f"project:{project}"
