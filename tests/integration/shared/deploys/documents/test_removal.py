"""What is deleted of an app or a project, in a real document database, a real blob store and the store of variables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.deploys import sources
from shared.deploys.documents import projects, removal, store
from shared.deploys.models import AppRef, ArchiveSource, DeploymentStatus, Environment
from shared.deploys.running import logs
from shared.deploys.running.logs import DeploymentLog
from shared.deploys.secrets import secret_store
from shared.platform.errors import Conflict, NotFound
from shared.platform.redaction import Redactor
from tests.present import present

ALL: list[Environment] = ["development", "staging", "production"]


@pytest.fixture(autouse=True)
def _storage(storage):
    """All of these speak to Blob Storage."""


@pytest.fixture
def ended(new):
    """Writes a deployment that has ended, with variables, a log and a source of its own."""

    async def make(**changes):
        known = {"status": DeploymentStatus.COMPLETED, "completed_at": datetime.now(UTC), **changes}
        one = new(**known)
        found = await sources.store_archive(one.organization_id, one.project_id, f"PK\x03\x04 {one.id}".encode())
        reference = changes.get("secrets_reference") or await secret_store().put({"KEY": "value"})
        await DeploymentLog(one.organization_id, one.id, Redactor(())).write_last("written")
        return await store.create(
            one.model_copy(update={"source": ArchiveSource(hash=found), "secrets_reference": reference})
        )

    return make


async def kept(one) -> tuple[bool, bool, bool, bool]:
    """Whether its document, its log, its variables and its source are there."""
    try:
        await secret_store().get(one.secrets_reference)
    except NotFound:
        variables = False
    else:
        variables = True
    return (
        await store.find(one.id, one.organization_id) is not None,
        await logs.size(one.organization_id, one.id) > 0,
        variables,
        await sources.exists(one.organization_id, one.project_id, one.source.hash),
    )


async def test_all_that_is_an_app_s_is_deleted_and_nothing_else(ended, state) -> None:
    mine = [await ended(), await ended(status=DeploymentStatus.FAILED)]
    others = [
        await ended(environment="staging"),
        await ended(project_id="shop-2"),
        await ended(organization_id=f"{state}-x"),
    ]
    at_work = await ended(status=DeploymentStatus.DEPLOYING, completed_at=None)
    await projects.update(state, "shop", deployment_id=mine[0].id)
    mark = await projects.begin_removal(state, "shop", ["development"])
    app = AppRef(organization_id=state, project_id="shop", environment="development")
    for deleted in (2, 0):
        assert await removal.forget_deployments(app, 30) == removal.Forgotten(done=True, deleted=deleted)
        assert await removal.forget_sources(state, "shop", 30, whole=False) == removal.Forgotten(
            done=True, deleted=deleted
        )
        await removal.end(state, "shop", mark, whole=False)
    assert [await kept(one) for one in mine] == [(False,) * 4] * 2
    assert [await kept(one) for one in (*others, at_work)] == [(True,) * 4] * 4
    known = present(await projects.find(state, "shop"))
    assert (known.removing, known.deployment_id) == ([], at_work.id)


async def test_a_project_s_newest_source_stays_with_it_and_is_deleted_with_it(state) -> None:
    found = await sources.store_archive(state, "shop", b"PK\x03\x04 newest")
    await projects.update(state, "shop", source_hash=found)
    await removal.forget_sources(state, "shop", 30, whole=False)
    assert await sources.exists(state, "shop", found)
    await removal.forget_sources(state, "shop", 30, whole=True)
    await removal.end(state, "shop", None, whole=True)
    assert not await sources.exists(state, "shop", found)
    assert await projects.find(state, "shop") is None


async def test_a_time_box_ends_after_a_page_and_the_next_goes_on(ended, state, monkeypatch) -> None:
    monkeypatch.setattr(removal, "PAGE", 1)
    for _ in range(3):
        await ended()
    app = AppRef(organization_id=state, project_id="shop", environment="development")
    boxes = [await removal.forget_deployments(app, 0) for _ in range(4)]
    assert [(one.done, one.deleted) for one in boxes] == [(False, 1)] * 3 + [(True, 0)]


async def test_variables_that_another_app_s_deployment_shares_stay(ended, state) -> None:
    first = await ended()
    shared = await ended(environment="staging", secrets_reference=first.secrets_reference)
    app = AppRef(organization_id=state, project_id="shop", environment="development")
    await removal.forget_deployments(app, 30)
    assert await secret_store().get(shared.secrets_reference) == {"KEY": "value"}


async def test_one_removal_of_a_project_at_a_time(state) -> None:
    first = await projects.begin_removal(state, "shop", ["staging"])
    assert await projects.begin_removal(state, "shop", ["staging"]) == first
    with pytest.raises(Conflict) as refused:
        await projects.begin_removal(state, "shop", ALL)
    assert refused.value.code == "removal-in-progress"
    await projects.end_removal(state, "shop", first, {})
    second = await projects.begin_removal(state, "shop", ALL)
    await projects.end_removal(state, "shop", first, {})
    assert not await projects.is_removing(state, "shop", ["staging"], first)
    assert await projects.is_removing(state, "shop", ["staging"], second)
