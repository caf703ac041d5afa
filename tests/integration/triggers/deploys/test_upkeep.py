"""The sweep after orphaned deployments and slots that nobody freed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.running.slots import Holder, Slots
from shared.platform.durable import RunState
from triggers.deploys import upkeep


@pytest.mark.parametrize(
    ("status", "settled"), [(DeploymentStatus.BUILDING_IMAGE, False), (DeploymentStatus.UPDATING_DATABASE, True)]
)
@pytest.mark.parametrize("state_", [None, RunState.TERMINATED, RunState.FAILED, RunState.RUNNING])
async def test_the_sweep_ends_what_nobody_works_on(durable, new, status, settled, state_) -> None:
    written = await store.create(new(status=status, claimed_by="x"))
    durable.running = SimpleNamespace(state=state_) if state_ else None
    await upkeep._recover(upkeep.DurableClient(None), written)
    if state_ is RunState.RUNNING:
        assert durable.started == []
    else:
        [(name, instance, task)] = durable.started
        assert (name, instance, task.settled) == ("recover_deployment", f"{written.id}-recovery", settled)


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
    durable.slots = Slots(**{at: [holder]})
    durable.running = SimpleNamespace(state=running) if running else None
    await upkeep.sweep.run(upkeep.DurableClient(None))
    wanted = [("free_slot", f"{written.id}-slot")] if freed else []
    assert [(name, instance) for name, instance, task in durable.started if task.deployment_id == written.id] == wanted


async def test_the_sweep_looks_at_all_that_are_silent(durable, new, monkeypatch) -> None:
    monkeypatch.setattr("shared.deploys.requests.intake.SWEPT", 2)
    old = datetime.now(UTC) - timedelta(hours=1)
    lost = [
        await store.create(new(status=DeploymentStatus.DEPLOYING, claimed_by="x", updated_at=old)) for _ in range(5)
    ]
    await upkeep.sweep.run(upkeep.DurableClient(None))
    assert {f"{one.id}-recovery" for one in lost} <= {instance for _, instance, _ in durable.started}


@pytest.mark.parametrize(("hours", "whose", "ended"), [(1, "ours", 1), (1, "others", 0), (25, "others", 1)])
async def test_what_the_hub_of_another_host_works_on_is_left_to_it_for_a_day(durable, new, hours, whose, ended) -> None:
    old = datetime.now(UTC) - timedelta(hours=hours)
    hub = durable.hub if whose == "ours" else uuid4()
    silent = new(status=DeploymentStatus.DEPLOYING, claimed_by="x", updated_at=old, hub=hub)
    await upkeep._recover(upkeep.DurableClient(None), await store.create(silent))
    assert len(durable.started) == ended
