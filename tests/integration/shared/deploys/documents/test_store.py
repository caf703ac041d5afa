"""The state of deployments on a document database, through the real SDK."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.deploys.documents import projects, store, transitions
from shared.deploys.models import CancelReason, DeploymentStatus, Step
from shared.platform.errors import Conflict, InvalidInput, NotFound
from tests.present import present


async def test_what_was_written_is_read(new) -> None:
    written = await store.create(new(build_command="make all", custom_domain="shop.example.com"))
    assert await store.load(written.id, written.organization_id) == written
    assert await store.load(written.id, None) == written


async def test_defect_three_partition_keys(new) -> None:
    """There is one, the organization: whoever reads or writes finds a document through it, and through no other."""
    written = await store.create(new())
    where = (written.id, written.organization_id)
    assert await store.load(*where) == written
    changed = await store.change(*where, lambda one, now: transitions.claim(one, "worker", now))
    await projects.update(written.organization_id, written.project_id, deployment_id=written.id)
    project = present(await projects.find(written.organization_id, written.project_id))
    listed = await store.of_project(written.organization_id, written.project_id, limit=2)
    assert (project.deployment_id, listed.deployments) == (written.id, [changed])
    with pytest.raises(NotFound):
        await store.load(written.id, "another-organization")
    with pytest.raises(NotFound):
        await store.change(written.id, "another-organization", lambda one, _: one)


async def test_an_id_is_taken_once(new) -> None:
    written = await store.create(new())
    with pytest.raises(Conflict) as refused:
        await store.create(written)
    assert refused.value.code == "document-exists"


async def test_changes_at_the_same_time_are_all_kept(new) -> None:
    written = await store.create(new())

    def add(step: Step):
        return lambda one, now: transitions.begin_step(one, step, None, now)

    await asyncio.gather(*(store.change(written.id, written.organization_id, add(step)) for step in Step))
    found = await store.load(written.id, written.organization_id)
    assert {one.name for one in found.steps} == set(Step)


async def test_defect_a_cancel_is_not_observed_and_completed_overwrites_it(new) -> None:
    """Of a cancel and the end, at the same moment, one wins; a cancel that was accepted is never overwritten."""
    for _ in range(10):
        written = await store.create(new(status=DeploymentStatus.DEPLOYING))
        where = (written.id, written.organization_id)
        outcomes = await asyncio.gather(
            store.change(*where, lambda one, now: transitions.request_cancel(one, CancelReason.REQUEST, now)),
            store.change(*where, lambda one, now: transitions.end(one, DeploymentStatus.COMPLETED, None, now)),
            return_exceptions=True,
        )
        found = await store.load(*where)
        cancelled = not isinstance(outcomes[0], Conflict)
        assert (found.cancel_reason is CancelReason.REQUEST) == cancelled
        assert (found.status is DeploymentStatus.COMPLETED) != cancelled


async def test_lists_are_newest_first_and_paged(new) -> None:
    start = datetime.now(UTC)
    for number in range(5):
        await store.create(new(created_at=start + timedelta(seconds=number), project_name=f"P{number}"))
    await store.create(new(project_id="other"))
    organization = new().organization_id
    shown, cursor = [], None
    while True:
        page = await store.of_project(organization, "shop", limit=2, continuation=cursor)
        assert len(page.deployments) <= 2
        shown += [one.project_name for one in page.deployments]
        cursor = page.continuation
        if cursor is None:
            break
    assert shown == ["P4", "P3", "P2", "P1", "P0"]
    everything = await store.of_organization(organization, limit=50)
    assert len(everything.deployments) == 6


async def test_a_cursor_that_is_none_is_refused(new) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        await store.of_project(new().organization_id, "shop", limit=2, continuation="nonsense")


async def test_the_sweep_finds_what_the_queue_never_got(new) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(minutes=1)
    lost = await store.create(new(created_at=old))
    await store.create(new(created_at=old, sent_at=now))
    await store.create(new(created_at=now))
    await store.create(new(created_at=old, claimed_by="x"))
    await store.create(new(created_at=old, status=DeploymentStatus.CANCELLED))
    stale = await store.create(new(created_at=old, sent_at=now - timedelta(hours=1)))
    found = await store.unsent(now, older_than=timedelta(seconds=30), limit=50)
    mine = {one.id for one in found if one.organization_id == lost.organization_id}
    assert mine == {lost.id, stale.id}


async def test_the_sweep_finds_what_nobody_works_on_any_more(new) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(minutes=20)
    stale = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE, claimed_by="x", updated_at=old))
    await store.create(new(status=DeploymentStatus.BUILDING_IMAGE, claimed_by="x"))
    await store.create(new(status=DeploymentStatus.COMPLETED, claimed_by="x", updated_at=old))
    found = await store.stale(now, older_than=timedelta(minutes=10), limit=50)
    assert [one.id for one in found.deployments if one.organization_id == stale.organization_id] == [stale.id]


async def test_a_project_keeps_its_newest_source_and_deployment(new) -> None:
    organization = new().organization_id
    assert await projects.find(organization, "shop") is None
    await asyncio.gather(
        projects.update(organization, "shop", source_hash="a" * 64),
        projects.update(organization, "shop", deployment_id="dep_AAAAAAAAAAAA"),
    )
    known = present(await projects.find(organization, "shop"))
    assert (known.source_hash, known.deployment_id) == ("a" * 64, "dep_AAAAAAAAAAAA")
    assert (await store.of_organization(organization, limit=5)).deployments == []


async def test_defect_of_two_that_completed_the_one_requested_earlier_counts_as_the_one_that_serves(new, state) -> None:
    now = datetime.now(UTC)
    requested = {"status": DeploymentStatus.COMPLETED}
    newer = await store.create(new(created_at=now, completed_at=now + timedelta(seconds=1), **requested))
    await store.create(new(created_at=now - timedelta(seconds=1), completed_at=now + timedelta(seconds=2), **requested))
    serving = await store.last_completed(state, "shop", "development")
    assert serving is not None
    assert serving.id == newer.id
