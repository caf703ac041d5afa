"""Variables of projects and deployments in the secret store: none is lost, and none is left behind."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from shared.deploys.documents import projects, store
from shared.deploys.models import Deployment
from shared.deploys.requests import variables
from shared.deploys.requests.variables import Joined
from shared.deploys.secrets import secret_store
from shared.platform.errors import Conflict, NotFound, TransientError
from tests.present import present


def kept(folder: Path) -> list[dict[str, str]]:
    return [json.loads(one.read_text()) for one in (folder / "secrets").iterdir()]


def with_variables(new, joined: Joined) -> Deployment:
    return new(secrets_reference=joined.reference, plain_variables=joined.plain, project_variables=joined.inherited)


async def test_requests_at_the_same_moment_lose_nothing(state, tmp_path) -> None:
    names = [f"NAME_{number}" for number in range(6)]
    await asyncio.gather(*(variables.put(state, "shop", {name: name}, []) for name in names))
    assert (await variables.of_project(state, "shop")).values == {name: name for name in names}
    assert len(kept(tmp_path)) == 1


async def test_who_is_overtaken_each_time_leaves_nothing_behind(state, tmp_path, monkeypatch) -> None:
    await variables.put(state, "shop", {"A": "1"}, [])

    async def overtaken(*_given, **_named) -> None:
        raise Conflict("The variables were changed by somebody else.")

    monkeypatch.setattr(projects, "set_variables", overtaken)
    with pytest.raises(TransientError) as refused:
        await variables.put(state, "shop", {"B": "2"}, [])
    assert refused.value.code == "project-busy"
    assert kept(tmp_path) == [{"A": "1"}]


async def test_a_renewed_deployment_has_its_own_and_those_that_the_project_has_by_now(state, new) -> None:
    await variables.put(state, "shop", {"A": "1", "B": "1", "OWN": "theirs"}, ["B"])
    joined = await variables.join(state, "shop", {"OWN": "mine"}, [])
    assert (joined.plain, joined.inherited) == (["B"], ["A", "B"])
    deployment = with_variables(new, joined)
    same = await variables.renew(deployment, deployment)
    assert same.reference == joined.reference  # nothing has changed, so they are shared
    await variables.put(state, "shop", {"A": "2"}, ["A"])
    await variables.remove(state, "shop", "B")
    renewed = await variables.renew(deployment, deployment)
    assert await secret_store().get(present(renewed.reference)) == {"OWN": "mine", "A": "2"}
    assert (renewed.plain, renewed.inherited) == (["A"], ["A"])
    assert await secret_store().get(present(joined.reference)) == {"A": "1", "B": "1", "OWN": "mine"}


async def test_variables_are_forgotten_with_the_last_deployment_that_has_them(state, new) -> None:
    joined = await variables.join(state, "shop", {"OWN": "mine"}, [])
    first, second = [await store.create(with_variables(new, joined)) for _ in range(2)]
    await variables.forget(first)
    assert await secret_store().get(present(joined.reference)) == {"OWN": "mine"}
    await store.delete(second)
    await variables.forget(first)
    with pytest.raises(NotFound):
        await secret_store().get(present(joined.reference))


async def test_a_variable_that_the_project_does_not_have_cannot_be_deleted(state) -> None:
    with pytest.raises(NotFound) as refused:
        await variables.remove(state, "shop", "A")
    assert refused.value.code == "unknown-variable"
