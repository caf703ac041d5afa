"""The steps of a deletion look for its mark: one that runs late does not delete what was deployed anew."""

from __future__ import annotations

from uuid import uuid4

import pytest

from activities.deploys import removal as steps
from activities.deploys.removal import end_removal, forget_app, forget_sources, remove_app
from shared.deploys.documents import projects, store
from shared.deploys.models import AppRef, DeploymentStatus, Environment
from shared.deploys.running.steps import RemoveApp, RemoveApps

ENVIRONMENTS: list[Environment] = ["development", "staging", "production"]


@pytest.fixture
def removed(monkeypatch) -> list[AppRef]:
    """The apps that the platform was made to remove."""
    found: list[AppRef] = []

    class Platform:
        async def remove(self, app, _step) -> None:
            found.append(app)

    monkeypatch.setattr(steps, "platform", Platform)
    return found


@pytest.mark.parametrize("marked", [[], ["staging"], ["development"], ENVIRONMENTS])
async def test_only_what_is_marked_is_deleted(state, new, storage, removed, marked) -> None:
    written = await store.create(new(status=DeploymentStatus.COMPLETED))
    await projects.update(state, "shop", deployment_id=written.id)
    mark = await projects.begin_removal(state, "shop", marked) if marked else uuid4()
    app = RemoveApp(organization_id=state, project_id="shop", environment="development", removal=mark)
    await remove_app(app)
    await forget_app(app)
    assert removed == ([app] if "development" in marked else [])
    assert (await store.find(written.id, state) is None) is ("development" in marked)
    whole = RemoveApps(organization_id=state, project_id="shop", environments=ENVIRONMENTS, whole=True, removal=mark)
    await forget_sources(whole)
    await end_removal(whole)
    assert (await projects.find(state, "shop") is None) is (marked == ENVIRONMENTS)


async def test_defect_a_step_of_a_deletion_that_has_ended_ends_the_one_after_it(state, new, storage, removed) -> None:
    written = await store.create(new(status=DeploymentStatus.COMPLETED))
    tasks = []
    for _ in range(2):
        mark = await projects.begin_removal(state, "shop", ["development"])
        tasks.append(
            RemoveApps(
                organization_id=state, project_id="shop", environments=["development"], whole=False, removal=mark
            )
        )
        if len(tasks) == 1:
            await end_removal(tasks[0])
    late, current = tasks
    await remove_app(late.app("development"))
    await forget_app(late.app("development"))
    await end_removal(late)
    assert removed == []
    assert await store.find(written.id, state) is not None
    assert await projects.is_removing(state, "shop", ["development"], current.removal)
    await end_removal(current)
    assert not await projects.is_removing(state, "shop", ["development"], current.removal)
