"""Variables of a project: kept as a deployment's are, and given to every later deployment beside its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from shared.deploys.documents import projects, store
from shared.deploys.models import GitSource, check_variables
from shared.deploys.secrets import GIT_TOKEN, NOT_KEPT, git_token, secret_store
from shared.platform.errors import Conflict, InvalidInput, NotFound, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from shared.deploys.models import Deployment, Project

TRIES = 12


@dataclass(frozen=True, slots=True)
class Variables:
    """Names with their values, and which of them are no secrets."""

    values: Mapping[str, str]
    plain: frozenset[str]


@dataclass(frozen=True, slots=True)
class Joined:
    """The variables of one deployment: where they are kept, which are no secrets, and which are the project's."""

    reference: str | None
    plain: list[str]
    inherited: list[str]


async def of_project(organization: str, project: str) -> Variables:
    """The project's variables; none where it is unknown.

    Raises:
        NotFound: what the project names is kept no more.
    """
    seen = None
    while True:
        known = await projects.find(organization, project)
        try:
            return await _read(known)
        except NotFound:
            if known is None or known.variables_reference == seen:
                raise
            seen = known.variables_reference  # changed in between: they are kept elsewhere by now


async def put(organization: str, project: str, values: Mapping[str, str], plain: Collection[str]) -> Variables:
    """Add these to the project's variables, or replace those of the same names.

    Raises:
        InvalidInput: with them they are too many or too large (`variables-refused`).
    """

    def add(known: Variables) -> Variables:
        kept = known.plain - set(values)
        return Variables({**known.values, **values}, kept | set(plain))

    return await _change(organization, project, add)


async def remove(organization: str, project: str, name: str) -> Variables:
    """Delete one of the project's variables.

    Raises:
        NotFound: it has none of that name (`unknown-variable`).
    """

    def drop(known: Variables) -> Variables:
        if name not in known.values:
            raise NotFound(f"The project {project} has no variable {name}.", code="unknown-variable")
        left = {key: value for key, value in known.values.items() if key != name}
        return Variables(left, known.plain - {name})

    return await _change(organization, project, drop)


async def join(organization: str, project: str, own: Mapping[str, str], plain: Collection[str]) -> Joined:
    """Keep the project's variables together with a deployment's own, which come first.

    Raises:
        InvalidInput: together they are too many or too large (`variables-refused`).
    """
    values, names, inherited = await _joined(organization, project, own, plain)
    return Joined(await secret_store().put(values) if values else None, names, inherited)


async def renew(deployment: Deployment, source: Deployment) -> Joined:
    """A deployment's own variables with those that its project has by now, and the token for the source of another."""
    reference = deployment.secrets_reference
    before = await secret_store().get(reference) if reference else {}
    own = {name: value for name, value in before.items() if name not in {*deployment.project_variables, GIT_TOKEN}}
    if (token := await _token(source, deployment)) is not None:
        own[GIT_TOKEN] = token
    plain = [name for name in deployment.plain_variables if name in own]
    values, names, inherited = await _joined(deployment.organization_id, deployment.project_id, own, plain)
    if values != before:
        reference = await secret_store().put(values) if values else None
    return Joined(reference, names, inherited)


async def forget(deployment: Deployment) -> None:
    """Delete the variables of a deployment that was not accepted, unless another one shares them."""
    reference = deployment.secrets_reference
    if reference and not await store.share_variables(deployment.organization_id, reference, but=deployment.id):
        await secret_store().delete(reference)


async def _token(source: Deployment, newer: Deployment) -> str | None:
    """The token of the source's repository: a newer one, if that is of the same repository and person."""
    if not isinstance(source.source, GitSource):
        return None
    same = isinstance(newer.source, GitSource) and _repository(newer.source) == _repository(source.source)
    for one in (newer, source) if same else (source,):
        with suppress(NotFound):  # the variables of a replaced deployment are deleted a day after its end
            if token := await git_token(one.secrets_reference):
                return token
    return None


def _repository(source: GitSource) -> tuple[str, str | None]:
    return source.url, source.user


async def _read(known: Project | None) -> Variables:
    if known is None or known.variables_reference is None:
        return Variables({}, frozenset())
    return Variables(await secret_store().get(known.variables_reference), frozenset(known.plain_variables))


async def _joined(
    organization: str, project: str, own: Mapping[str, str], plain: Collection[str]
) -> tuple[dict[str, str], list[str], list[str]]:
    known = await of_project(organization, project)
    inherited = [name for name in known.values if name not in own]
    values = {**known.values, **own}
    _check(values)
    return values, sorted({*plain, *(known.plain & set(inherited))}), inherited


async def _change(organization: str, project: str, step: Callable[[Variables], Variables]) -> Variables:
    """Whoever finds the project's variables changed by another meanwhile begins again. The old ones are forgotten."""
    for _ in range(TRIES):
        known = await projects.find(organization, project)
        projects.require_kept(known)
        seen = known.variables_reference if known else None
        try:
            after = step(await _read(known))
        except NotFound as missing:
            if missing.code != NOT_KEPT:
                raise
            continue  # another has changed them in between
        _check(after.values)
        reference = await secret_store().put(after.values) if after.values else None
        try:
            await projects.set_variables(organization, project, seen=seen, reference=reference, plain=after.plain)
        except Conflict:
            if reference:
                await secret_store().delete(reference)
            continue
        if seen:
            await secret_store().delete(seen)
        return after
    raise TransientError(f"The variables of {project} were changed by others {TRIES} times.", code="project-busy")


def _check(values: Mapping[str, str]) -> None:
    try:
        check_variables(values)
    except PydanticCustomError as refused:
        raise InvalidInput(
            f"{refused.message()}, those of the project included.",
            code="variables-refused",
            remedy="Leave some out, or delete variables of the project.",
        ) from None
