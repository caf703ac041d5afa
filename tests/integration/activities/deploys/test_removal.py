"""The steps of a deletion look for its mark: one that runs late does not delete what was deployed anew."""

from __future__ import annotations

import pytest

from activities.deploys import removal as steps
from activities.deploys.removal import end_removal, forget_app, forget_sources, remove_app
from shared.deploys.documents import projects, store
from shared.deploys.models import AppRef, DeploymentStatus
from shared.deploys.running.steps import RemoveApps

ENVIRONMENTS = ["development", "staging", "production"]


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
    if marked:
        await projects.begin_removal(state, "shop", marked)
    app = AppRef(organization_id=state, project_id="shop", environment="development")
    await remove_app(app)
    await forget_app(app)
    assert removed == ([app] if "development" in marked else [])
    assert (await store.find(written.id, state) is None) is ("development" in marked)
    whole = RemoveApps(organization_id=state, project_id="shop", environments=ENVIRONMENTS, whole=True)
    await forget_sources(whole)
    await end_removal(whole)
    assert (await projects.find(state, "shop") is None) is (marked == ENVIRONMENTS)
