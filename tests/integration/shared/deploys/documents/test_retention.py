"""What is forgotten of deployments, in a real document database, a real blob store and the store of variables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.deploys import sources
from shared.deploys.documents import projects, retention, store
from shared.deploys.models import ArchiveSource, DeploymentStatus
from shared.deploys.running import logs
from shared.deploys.running.logs import DeploymentLog
from shared.deploys.secrets import secret_store
from shared.platform.errors import NotFound
from shared.platform.redaction import Redactor
from shared.platform.stores import blob_files

KEPT = timedelta(days=90)
CANARY = "canary-b0a7"


@pytest.fixture(autouse=True)
def _storage(storage):
    """All of these speak to Blob Storage."""


@pytest.fixture
def ended(new):
    """Writes a deployment that ended so many days ago, with variables and a log: `await ended("failed", 100)`."""

    async def make(status: str, days: float, **changes):
        at = datetime.now(UTC) - timedelta(days=days)
        reference = changes.pop("secrets_reference", None) or await secret_store().put({"API_KEY": CANARY})
        written = await store.create(
            new(status=DeploymentStatus(status), completed_at=at, secrets_reference=reference, **changes)
        )
        await DeploymentLog(written.organization_id, written.id, Redactor(())).write_last("written")
        return written

    return make


async def purge() -> retention.Purged:
    done = await retention.purge_deployments(datetime.now(UTC), KEPT, 30, None)
    assert done.cursor is None
    return done


async def is_kept(deployment) -> tuple[bool, bool, bool]:
    """Whether its document, its log and its variables are there."""
    text, _ = await logs.read(deployment.organization_id, deployment.id, after=0)
    try:
        await secret_store().get(deployment.secrets_reference)
    except NotFound:
        variables = False
    else:
        variables = True
    return await store.find(deployment.id, deployment.organization_id) is not None, bool(text), variables


async def test_old_deployments_are_forgotten_with_all_that_was_theirs(ended) -> None:
    expired = [await ended(status, 92) for status in ("failed", "cancelled", "completed")]
    serves = await ended("completed", 91.5)
    await purge()
    assert [await is_kept(one) for one in expired] == [(False, False, False)] * 3
    assert await is_kept(serves) == (True, True, True)


async def test_what_cannot_be_retried_keeps_its_log_but_not_its_variables(ended) -> None:
    first, cancelled = await ended("completed", 5), await ended("cancelled", 4)
    failed, serves = await ended("failed", 3), await ended("completed", 2)
    await purge()
    assert [await is_kept(one) for one in (first, cancelled)] == [(True, True, False)] * 2
    assert (await store.load(first.id, first.organization_id)).secrets_reference is None
    assert [await is_kept(one) for one in (failed, serves)] == [(True, True, True)] * 2


async def test_each_environment_keeps_the_one_that_serves(ended) -> None:
    staging = await ended("completed", 200, environment="staging")
    development = await ended("completed", 100)
    await purge()
    assert [await is_kept(one) for one in (staging, development)] == [(True, True, True)] * 2


async def test_a_projects_newest_is_kept_however_it_ended(ended) -> None:
    newest = await ended("cancelled", 100)
    await projects.update(newest.organization_id, newest.project_id, deployment_id=newest.id)
    await purge()
    assert await is_kept(newest) == (True, True, True)


async def test_variables_that_a_retry_shares_go_with_the_last_that_names_them(ended, new) -> None:
    failed = await ended("failed", 92)
    again = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE, secrets_reference=failed.secrets_reference))
    await purge()
    assert await is_kept(failed) == (False, False, True)
    at = datetime.now(UTC) - timedelta(days=92)
    await store.change(
        again.id,
        again.organization_id,
        lambda one, _: one.model_copy(update={"status": DeploymentStatus.FAILED, "completed_at": at}),
    )
    await purge()
    assert await is_kept(again) == (False, False, False)


async def test_one_that_is_at_work_for_long_is_left_alone(new) -> None:
    old = datetime.now(UTC) - timedelta(days=500)
    reference = await secret_store().put({"API_KEY": CANARY})
    working = await store.create(
        new(status=DeploymentStatus.DEPLOYING, created_at=old, updated_at=old, secrets_reference=reference)
    )
    await purge()
    assert (await store.load(working.id, working.organization_id)).secrets_reference == reference


async def test_many_are_gone_over_in_pages(ended, new, monkeypatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    serving = [await ended("completed", 92, project_id=f"p{number}") for number in range(3)]
    expired = [await ended("cancelled", 92) for _ in range(5)]
    await purge()
    assert [(await is_kept(one))[0] for one in (*serving, *expired)] == [True] * 3 + [False] * 5


async def test_a_box_hands_back_where_it_stopped(ended, monkeypatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 1)
    for _ in range(3):
        await ended("cancelled", 92)
    step = await retention.purge_deployments(datetime.now(UTC), KEPT, 0, None)
    assert step.cursor is not None


async def test_a_source_goes_once_nothing_names_it(new, monkeypatch) -> None:
    organization = new().organization_id
    monkeypatch.setattr(sources, "CONTAINER", f"sources-{organization}")
    names = {"newest": "a" * 64, "deployed": "b" * 64, "nobody's": "c" * 64}
    for one in names.values():
        await blob_files.create_blob(sources.CONTAINER, sources.blob_name(organization, "shop", one), b"PK")
    await projects.update(organization, "shop", source_hash=names["newest"])
    await store.create(new(source=ArchiveSource(hash=names["deployed"])))
    await blob_files.create_blob(sources.CONTAINER, "put-here-by-somebody", b"PK")
    before = datetime.now(UTC)
    assert (await retention.purge_sources(before, KEPT, 30, None)).sources == 0
    done = await retention.purge_sources(before + KEPT + 2 * retention.GRACE, KEPT, 30, None)
    assert (done.sources, done.cursor) == (1, None)
    left = {blob.name.rpartition("/")[2] for blob in (await blob_files.list_blobs(sources.CONTAINER, limit=9)).blobs}
    assert left == {names["newest"], names["deployed"], "put-here-by-somebody"}


async def test_without_any_source_there_is_nothing_to_do(state, monkeypatch) -> None:
    monkeypatch.setattr(sources, "CONTAINER", f"none-{state}")
    assert (await retention.purge_sources(datetime.now(UTC), KEPT, 30, None)).cursor is None
