"""How a deployment waits: for the project's other task hubs, and for a slot."""

from __future__ import annotations

from typing import Any

from orchestrators.deploys import deployment, waiting
from shared.deploys.models import DeploymentStatus
from shared.deploys.running import slots
from shared.deploys.running.slots import Slots
from shared.deploys.running.steps import Claimed
from shared.platform.durable import Nothing
from tests.unit.orchestrators.deploys.hosted import REF, STEPS, busy


def claims(*turns: bool):
    answers = iter(turns)
    return lambda _: Claimed(
        claimed=True,
        status=DeploymentStatus.QUEUED,
        project="org/p",
        limit=1,
        timeout_seconds=1800,
        turn=next(answers, False),
    )


def test_while_another_task_hub_works_on_the_project_it_waits_and_holds_no_slot(play) -> None:
    play.fakes["claim_deployment"] = claims(False, False, True)
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert play.done() == ["claim_deployment"] * 2 + STEPS
    assert [name for name, _ in play.calls].index("acquire") == 3
    assert len({task.execution for task in play.named("claim_deployment")}) == 1


def test_the_wait_for_another_task_hub_can_be_cancelled_and_has_an_end(play) -> None:
    play.fakes["claim_deployment"] = claims()
    play.wins = ["cancel"]
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.CANCELLED
    assert play.done() == ["claim_deployment", "end_deployment"]
    play.calls.clear()
    assert play.play(deployment.deployment, REF).code == "no-slot"
    assert play.done().count("claim_deployment") == waiting.REQUESTS + 1


def test_what_ended_while_it_waited_for_another_task_hub_is_left_alone(play) -> None:
    answers = iter([True, False])
    play.fakes["claim_deployment"] = lambda _: Claimed(
        claimed=next(answers),
        status=DeploymentStatus.CANCELLED,
        project="org/p",
        limit=1,
        timeout_seconds=1,
        turn=False,
    )
    assert play.play(deployment.deployment, REF).code == "not-claimed"
    assert play.done() == ["claim_deployment"] * 2


def test_a_deployment_that_waits_asks_again_when_it_is_told(play) -> None:
    busy(play)
    play.wins = ["slot"]

    def release(*_: Any) -> Any:
        play.slots = Slots()

    original = play.wait_for_external_event
    play.wait_for_external_event = lambda name: (release() if name == "slot" else None) or original(name)
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert [name for name, _ in play.calls].count("acquire") == 2
    assert play.timers == []


def test_a_cancel_reaches_a_deployment_that_waits(play) -> None:
    busy(play)
    play.wins = ["cancel"]
    ended = play.play(deployment.deployment, REF)
    assert ended.status is DeploymentStatus.CANCELLED
    assert play.done() == ["claim_deployment", "end_deployment"]
    assert play.slots.waiting == []


def test_waiting_has_an_end_and_its_history_a_bound(play) -> None:
    busy(play)
    ended = play.play(deployment.deployment, REF)
    assert (ended.status, ended.code) == (DeploymentStatus.FAILED, "no-slot")
    assert len(play.timers) == waiting.REQUESTS
    assert waiting.REQUESTS * 8 < 1_000


def test_who_leaves_wakes_who_waits(play) -> None:
    original = play.fakes["validate_deployment"]

    def validate(task: Any) -> Nothing:
        request = slots.SlotRequest(
            wants="acquire", deployment_id="dep_BBBBBBBBBBBB", project="org/q", now=play.current_utc_datetime
        )
        play.slots, _ = slots.decide(play.slots, request)
        return original(task)

    play.fakes["validate_deployment"] = validate
    play.play(deployment.deployment, REF)
    [wake] = play.named("wake_waiting")
    assert wake.deployment_ids == ["dep_BBBBBBBBBBBB"]
