"""The sweep after orphaned deployments and slots that nobody freed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from shared.deploys.documents import projects, store, transitions
from shared.deploys.models import TAKEN, DeploymentStatus
from shared.deploys.running.slots import Holder, Slots
from shared.platform.durable import RunState
from shared.platform.errors import Conflict
from tests.present import present, untyped
from triggers.deploys import removals, upkeep


@pytest.fixture(autouse=True)
def _queue(sent) -> None:
    """The sweep sends what other tests have left queued for a while."""


@pytest.mark.parametrize(
    ("status", "settled"), [(DeploymentStatus.BUILDING_IMAGE, False), (DeploymentStatus.UPDATING_DATABASE, True)]
)
@pytest.mark.parametrize("state_", [None, RunState.TERMINATED, RunState.FAILED, RunState.RUNNING])
async def test_the_sweep_ends_what_nobody_works_on(durable, new, status, settled, state_) -> None:
    written = await store.create(new(status=status, claimed_by="x"))
    durable.running = SimpleNamespace(state=state_) if state_ else None
    await upkeep._recover(upkeep.DurableClient(untyped(None)), written)
    if state_ is RunState.RUNNING:
        assert durable.started == []
    else:
        [(name, instance, task)] = durable.started
        assert (name, instance, task.settled) == ("recover_deployment", f"{written.id}-recovery", settled)
        assert task.hub == durable.hub


@pytest.mark.parametrize("at", ["holders", "waiting"])
@pytest.mark.parametrize(
    ("status", "running", "freed"),
    [
        (DeploymentStatus.FAILED, None, True),
        (DeploymentStatus.COMPLETED, RunState.TERMINATED, True),
        (DeploymentStatus.COMPLETED, RunState.RUNNING, False),
        (DeploymentStatus.DEPLOYING, None, False),
    ],
)
async def test_the_sweep_frees_what_an_ended_deployment_holds(durable, new, at, status, running, freed) -> None:  # noqa: PLR0917 - pytest names them
    written = await store.create(new(status=status))
    holder = Holder(
        deployment_id=written.id, project=f"{written.organization_id}/shop", until=datetime.now(UTC) + timedelta(1)
    )
    durable.slots = Slots.model_validate({at: [holder]})
    durable.running = SimpleNamespace(state=running) if running else None
    await upkeep.sweep.run(upkeep.DurableClient(untyped(None)))
    wanted = [("free_slot", f"{written.id}-slot")] if freed else []
    assert [(name, instance) for name, instance, task in durable.started if task.deployment_id == written.id] == wanted


async def test_the_sweep_looks_at_all_that_are_silent(durable, new, monkeypatch) -> None:
    monkeypatch.setattr("shared.deploys.requests.intake.SWEPT", 2)
    old = datetime.now(UTC) - timedelta(hours=1)
    lost = [
        await store.create(new(status=DeploymentStatus.DEPLOYING, claimed_by="x", updated_at=old)) for _ in range(5)
    ]
    await upkeep.sweep.run(upkeep.DurableClient(untyped(None)))
    assert {f"{one.id}-recovery" for one in lost} <= {instance for _, instance, _ in durable.started}


WORKING, WAITING = DeploymentStatus.DEPLOYING, DeploymentStatus.QUEUED


@pytest.mark.parametrize(
    ("status", "minutes", "whose", "ended"),
    [
        (WORKING, 11, "ours", 1),
        (WORKING, 11, "others", 0),
        (WORKING, 31, "others", 1),
        (WAITING, 31, "others", 0),
        (WAITING, 121, "others", 1),
    ],
)
async def test_what_the_hub_of_another_host_works_on_is_taken_over_once_it_is_silent(  # noqa: PLR0917 - pytest names them
    durable, new, status, minutes, whose, ended
) -> None:
    old = datetime.now(UTC) - timedelta(minutes=minutes)
    hub = durable.hub if whose == "ours" else uuid4()
    silent = await store.create(new(status=status, claimed_by="x", updated_at=old, hub=hub))
    await upkeep._recover(upkeep.DurableClient(untyped(None)), silent)
    assert len(durable.started) == ended
    after = await store.load(silent.id, silent.organization_id)
    assert (after.hub == durable.hub) is (whose == "ours" or bool(ended))
    if whose == "others" and ended:  # what the other hub still does to it is refused
        with pytest.raises(Conflict) as refused:
            transitions.require_hub(after, hub)
        assert refused.value.code == TAKEN


async def test_what_its_hub_has_changed_meanwhile_is_left_to_it(durable, new) -> None:
    old = datetime.now(UTC) - timedelta(hours=3)
    silent = await store.create(new(status=WORKING, claimed_by="x", updated_at=old, hub=uuid4()))
    await store.change(silent.id, silent.organization_id, lambda one, now: one.model_copy(update={"updated_at": now}))
    await upkeep._recover(upkeep.DurableClient(untyped(None)), silent)
    assert durable.started == []
    assert (await store.load(silent.id, silent.organization_id)).hub == silent.hub


@pytest.mark.parametrize("state_", [None, RunState.FAILED, RunState.RUNNING])
async def test_the_sweep_goes_on_with_a_deletion_that_does_not_run(durable, state, monkeypatch, state_) -> None:
    durable.running = SimpleNamespace(state=state_) if state_ else None
    monkeypatch.setattr("shared.deploys.documents.orphans.STALE_AFTER", timedelta(0))
    one = await projects.begin_removal(state, "shop", ["staging"])
    whole = await projects.begin_removal(state, "page", removals.ENVIRONMENTS)
    assert await upkeep._due(upkeep.DurableClient(untyped(None)))
    await upkeep.sweep.run(upkeep.DurableClient(untyped(None)))
    started = {task.project_id: task for name, _, task in durable.started if name == "remove_apps"}
    mine = {name: task for name, task in started.items() if task.organization_id == state}
    if state_ is RunState.RUNNING:
        assert mine == {}
    else:
        assert {name: (task.environments, task.whole, task.removal) for name, task in mine.items()} == {
            "shop": (["staging"], False, one),
            "page": (removals.ENVIRONMENTS, True, whole),
        }
    for project in ("shop", "page"):
        await projects.end_removal(state, project, present(await projects.find(state, project)).removal, {})
