"""Lists of projects, and of the organizations that have any."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.deploys.documents.store import DEPLOYMENTS
from shared.deploys.models import Project
from shared.platform.errors import UnusableCursor

_OF_PROJECTS: Final = "FROM c WHERE c.type = 'project'"


async def page(organization: str | None, *, limit: int, before: str | None = None) -> tuple[list[Project], str | None]:
    """Projects of the organization, or (None) of all, the last changed first, and `before` of the next page.

    That is a time, since the database's client continues no sorted list over several organizations. Projects that
    were changed in one and the same microsecond are kept on one page, unless they are more than a page holds.

    Raises:
        UnusableCursor: `before` is no time.
    """
    if before:
        _require_time(before)
    answer = await DEPLOYMENTS.query(
        f"SELECT * {_OF_PROJECTS}{' AND c.updatedAt < @before' if before else ''} ORDER BY c.updatedAt DESC",
        {"before": before} if before else {},
        partition=organization,
        limit=limit + 1,
    )
    times = [str(one["updatedAt"]) for one in answer.documents]
    count = len(times)
    if count > limit:
        count = times.index(times[limit]) or limit
    projects = [Project.model_validate(one) for one in answer.documents[:count]]
    more = count < len(times) or answer.continuation is not None
    return projects, times[count - 1] if more and count else None


async def organizations(*, limit: int, after: str | None = None) -> tuple[list[str], str | None]:
    """Organizations that have projects, by name, and `after` of the next page."""
    answer = await DEPLOYMENTS.query(
        f"SELECT DISTINCT VALUE c.organizationId {_OF_PROJECTS} AND c.organizationId > @after"
        " ORDER BY c.organizationId",
        {"after": after or ""},
        limit=limit + 1,
    )
    names = [str(one) for one in answer.documents]
    more = len(names) > limit or answer.continuation is not None
    return names[:limit], names[:limit][-1] if more and names else None


def _require_time(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise UnusableCursor from None
