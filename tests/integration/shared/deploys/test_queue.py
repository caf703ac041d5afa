"""What starts deployments: messages, repeated or for nothing, and the sweep after an orchestration that is gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from shared.deploys import intake, store
from shared.deploys.models import DeploymentStatus
from shared.deploys.slots import Holder, Slots
from shared.platform.durable import RunState
from shared.platform.errors import Conflict, InvalidInput, NotFound, TransientError
from shared.platform.settings import forget_settings
from shared.platform.stores.cosmos import close_cosmos
from triggers.deploys import queue, upkeep

CANARY = "canary-in-a-message"


def message(**body) -> SimpleNamespace:
    return SimpleNamespace(get_body=lambda: json.dumps(body).encode())


@pytest.fixture
def durable(monkeypatch) -> SimpleNamespace:
    """A durable client that notes what it is asked."""
    told = SimpleNamespace(started=[], events=[], running=None, busy=False, away=False, slots=Slots())

    class Client:
        def __init__(self, _) -> None:
            pass

        async def start(self, orchestration, task, *, instance_id):
            if told.away:
                raise TransientError("the engine does not answer")
            if told.busy:
                raise Conflict("it is running", code="already-running")
            told.started.append((orchestration.name, instance_id, task))

        async def raise_event(self, instance_id, event, _) -> None:
            if told.away:
                raise TransientError("the engine does not answer")
            if told.busy:
                raise NotFound("it is gone")
            told.events.append((instance_id, event))

        async def find(self, _):
            return told.running

        async def entity_state(self, *_):
            return told.slots

    monkeypatch.setattr(queue, "DurableClient", Client)
    monkeypatch.setattr(upkeep, "DurableClient", Client)
    monkeypatch.setattr(queue, "READ_SECONDS", 0.01)
    return told


async def receive(**body) -> None:
    await queue._receive(queue._read(message(**body)), queue.DurableClient(None))


async def test_a_message_starts_its_deployment_under_its_id(durable, new) -> None:
    written = await store.create(new())
    await receive(deploymentId=written.id, organizationId=written.organization_id)
    [(name, instance, task)] = durable.started
    assert (name, instance) == ("deployment", written.id)
    assert (task.deployment_id, task.organization_id) == (written.id, written.organization_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"claimed_by": "x"},
        *({"status": status} for status in DeploymentStatus if status is not DeploymentStatus.QUEUED),
    ],
    ids=str,
)
async def test_a_repeated_delivery_starts_nothing(durable, new, changes) -> None:
    written = await store.create(new(**changes))
    await receive(deploymentId=written.id, organizationId=written.organization_id)
    assert durable.started == []


async def test_a_delivery_while_it_runs_is_no_failure(durable, new) -> None:
    written = await store.create(new())
    durable.busy = True
    await receive(deploymentId=written.id, organizationId=written.organization_id)
    await receive(deploymentId=written.id, what="slot")


async def test_a_message_for_nothing_fails_and_so_ends_among_the_dead_letters(durable, state) -> None:
    with pytest.raises(NotFound):
        await receive(deploymentId="dep_ZZZZZZZZZZZZ", organizationId=state)


async def test_an_unreadable_message_fails_without_being_repeated_in_the_log(durable) -> None:
    with pytest.raises(InvalidInput) as refused:
        await receive(deploymentId=CANARY)
    assert CANARY not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("what", ["start", "slot"])
async def test_defect_every_message_dead_letters_what_is_away_for_a_while_is_tried_later(
    durable, new, sent, what
) -> None:
    written = await store.create(new())
    durable.away = True
    body = {"deploymentId": written.id, "organizationId": written.organization_id, "what": what}
    waits = []
    while True:
        try:
            await receive(**body)
        except TransientError:
            break  # the broker delivers it twice more, and puts it among the dead letters
        name, body, message_id = sent.messages.pop()
        assert name == "deployments"
        assert message_id.startswith(f"{written.id}~")
        waits.append(sent.after.pop())
    assert waits == [60, 120, 240, 300, 300, 300, 300]
    assert durable.started == []
    durable.away = False
    await receive(**body)
    assert [instance for _, instance, _ in durable.started] == ([written.id] if what == "start" else [])


async def test_what_is_sent_again_is_no_duplicate_to_the_queue(new, sent) -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    written = await store.create(new(created_at=old, updated_at=old))
    await intake.send_unsent(timedelta(minutes=15))
    ids = [message_id for _, body, message_id in sent.messages if body["deploymentId"] == written.id]
    assert len(ids) == 1
    assert ids[0].startswith(f"{written.id}~")


async def test_word_of_a_free_slot_reaches_the_orchestration(durable) -> None:
    await receive(deploymentId="dep_AAAAAAAAAAAA", what="slot")
    assert durable.events == [("dep_AAAAAAAAAAAA", "slot")]


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
    monkeypatch.setattr("shared.deploys.intake.SWEPT", 2)
    old = datetime.now(UTC) - timedelta(hours=1)
    lost = [
        await store.create(new(status=DeploymentStatus.DEPLOYING, claimed_by="x", updated_at=old)) for _ in range(5)
    ]
    await upkeep.sweep.run(upkeep.DurableClient(None))
    assert {f"{one.id}-recovery" for one in lost} <= {instance for _, instance, _ in durable.started}


@pytest.mark.parametrize("at", ["holders", "waiting"])
async def test_the_sweep_is_due_while_a_slot_is_held_or_waited_for(durable, state, at) -> None:
    holder = Holder(deployment_id="dep_A", project=f"{state}/shop", until=datetime.now(UTC))
    durable.slots = Slots(**{at: [holder]})
    assert await upkeep.sweep.due(upkeep.DurableClient(None))


async def test_the_sweep_is_due_while_a_deployment_has_not_ended(durable, new, monkeypatch) -> None:
    monkeypatch.setenv("COSMOS_DATABASE", "of-its-own")  # where no other test has left one open
    forget_settings()
    await close_cosmos()
    client = upkeep.DurableClient(None)
    assert not await upkeep.sweep.due(client)
    written = await store.create(new(status=DeploymentStatus.QUEUED))
    assert await upkeep.sweep.due(client)
    await store.change(
        written.id, written.organization_id, lambda one, _: one.model_copy(update={"status": DeploymentStatus.FAILED})
    )
    assert not await upkeep.sweep.due(client)
