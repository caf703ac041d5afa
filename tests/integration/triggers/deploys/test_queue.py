"""Messages that start deployments, also repeated ones and ones for nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.running.slots import Holder, Slots
from shared.platform.errors import InvalidInput, NotFound, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_cosmos
from tests.present import untyped
from triggers.deploys import queue, upkeep

CANARY = "canary-in-a-message"


def message(**body) -> Any:
    return SimpleNamespace(get_body=lambda: json.dumps(body).encode())


async def receive(**body) -> None:
    await queue._receive(queue._read(message(**body)), queue.DurableClient(untyped(None)))


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


async def test_word_of_a_free_slot_reaches_the_orchestration(durable) -> None:
    await receive(deploymentId="dep_AAAAAAAAAAAA", what="slot")
    assert durable.events == [("dep_AAAAAAAAAAAA", "slot")]


@pytest.mark.parametrize("at", ["holders", "waiting"])
async def test_the_sweep_is_due_while_a_slot_is_held_or_waited_for(durable, state, at) -> None:
    holder = Holder(deployment_id="dep_A", project=f"{state}/shop", until=datetime.now(UTC))
    durable.slots = Slots.model_validate({at: [holder]})
    assert await upkeep.sweep.due(upkeep.DurableClient(untyped(None)))


async def test_the_sweep_is_due_while_a_deployment_has_not_ended(durable, new, monkeypatch) -> None:
    monkeypatch.setenv("COSMOS_DATABASE", "of-its-own")  # where no other test has left one open
    forget_settings()
    await close_cosmos()
    client = upkeep.DurableClient(untyped(None))
    assert not await upkeep.sweep.due(client)
    written = await store.create(new(status=DeploymentStatus.QUEUED))
    assert await upkeep.sweep.due(client)
    await store.change(
        written.id, written.organization_id, lambda one, _: one.model_copy(update={"status": DeploymentStatus.FAILED})
    )
    assert not await upkeep.sweep.due(client)
