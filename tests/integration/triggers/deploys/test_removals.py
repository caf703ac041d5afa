"""Deleting an app or a project: who may, when it is refused, and what is refused meanwhile."""

from __future__ import annotations

import pytest

from shared.deploys.documents import projects, store
from shared.deploys.models import DeploymentStatus, Environment
from shared.deploys.running.steps import RemoveApps
from shared.platform.access.api_keys import ApiKey
from shared.platform.access.auth import Caller
from shared.platform.errors import Conflict, NotFound
from tests.hostless import Hostless
from tests.integration.triggers.deploys.conftest import change
from tests.present import present
from triggers.deploys import removals


class Client(Hostless):
    """A durable client that notes what it starts; `busy`: it runs already."""

    def __init__(self, *, busy: bool = False) -> None:
        self.busy = busy
        self.started: list[tuple[str, str, RemoveApps]] = []

    async def runs(self, instance_id: str) -> bool:
        return self.busy

    async def start(self, orchestration, task, *, instance_id=None):
        self.started.append((orchestration.name, present(instance_id), task))
        return str(instance_id)


def removal(organization: str, *environments: Environment) -> RemoveApps:
    whole = not environments
    return RemoveApps(
        organization_id=organization,
        project_id="shop",
        environments=list(environments) or removals.ENVIRONMENTS,
        whole=whole,
    )


async def test_a_project_is_deleted_and_takes_nothing_meanwhile(ask, body, state) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    await change(first, DeploymentStatus.COMPLETED)
    client = Client()
    answer = await removals._remove(removal(state), client)
    assert (answer.status, answer.body.environments) == (202, removals.ENVIRONMENTS)
    [(name, instance, task)] = client.started
    assert (name, task.whole) == ("remove_apps", True)
    for method, path, sent in (
        ("POST", "/deploy", body),
        ("POST", "/api/deploy", {"projectId": "shop", "orgId": state, "userId": "u"}),
        ("POST", f"/deploy/{first['deploymentId']}/rollback", None),
        ("PUT", f"/deploy/project/shop/source?organizationId={state}", b"PK\x03\x04 more"),
    ):
        status, refused, _ = await ask(method, path, sent)
        assert (status, refused["code"]) == (409, "removal-in-progress"), path
    [listed] = (await ask("GET", f"/deploy/projects?organizationId={state}"))[1]["data"]
    assert listed["removing"] == removals.ENVIRONMENTS
    await removals._remove(removal(state), client)
    assert [one[1] for one in client.started] == [instance] * 2
    busy = Client(busy=True)
    assert (await removals._remove(removal(state), busy)).status == 202
    assert busy.started == []


async def test_an_app_that_is_deleted_leaves_the_others_of_its_project_alone(ask, body, state) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    await change(first, DeploymentStatus.COMPLETED)
    await removals._remove(removal(state, "development"), Client())
    assert (await ask("POST", "/deploy", body))[0] == 409
    assert (await ask("POST", "/deploy", body | {"environment": "staging"}))[0] == 202


async def test_none_is_deleted_while_a_deployment_is_under_way(ask, body, state) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    client = Client()
    with pytest.raises(Conflict) as refused:
        await removals._remove(removal(state), client)
    assert (refused.value.code, client.started) == ("deployment-in-progress", [])
    assert present(await projects.find(state, "shop")).removing == []
    await change(first, DeploymentStatus.FAILED)
    assert (await ask("POST", "/deploy", body))[0] == 202


async def test_a_deployment_that_meets_a_deletion_is_taken_back(ask, body, state, sent, tmp_path, monkeypatch) -> None:  # noqa: PLR0917 - pytest names them
    """The deletion leaves its mark after the deployment looked for it, and before the document is noted."""
    create = store.create

    async def meanwhile(deployment):
        created = await create(deployment)
        await projects.begin_removal(state, "shop", ["development"])
        return created

    monkeypatch.setattr(store, "create", meanwhile)
    status, refused, _ = await ask("POST", "/deploy", body | {"envVariables": {"A": "b"}})
    assert (status, refused["code"], sent.messages) == (409, "removal-in-progress", [])
    assert (await store.of_project(state, "shop", limit=1)).deployments == []
    assert not list((tmp_path / "secrets").iterdir())


async def test_what_is_unknown_or_another_s_is_not_deleted(ask, body, state, monkeypatch) -> None:
    with pytest.raises(NotFound):
        await removals._remove(removal(state), Client())
    await ask("POST", "/deploy", body)

    async def authenticate(self, request):
        return Caller("client", frozenset({"deploys:write"}), "stranger")

    monkeypatch.setattr(ApiKey, "authenticate", authenticate)
    for path in ("/deploy/project/shop", "/deploy/project/shop/apps/development"):
        assert (await ask("DELETE", f"{path}?organizationId={state}"))[0] == 403
        assert (await ask("DELETE", path))[0] == 404
    assert (await ask("DELETE", "/deploy/project/shop/apps/else"))[0] == 400
    assert present(await projects.find(state, "shop")).removing == []
