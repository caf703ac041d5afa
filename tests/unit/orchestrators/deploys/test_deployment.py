"""The order of a deployment, and what follows when a step fails, time is up or somebody cancels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from activities.deploys.slots import deploy_slots
from orchestrators.deploys import deployment, waiting
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import FINISHING, TAKEN, CancelReason, DeploymentStatus
from shared.deploys.platforms.base import Revision
from shared.deploys.running import slots
from shared.deploys.running.slots import Slots
from shared.deploys.running.steps import (
    Built,
    Claimed,
    ContextReady,
    DeploymentRef,
    DomainBound,
    Ended,
    Recovery,
    Released,
    Serving,
    WorkspaceReady,
)
from shared.platform.durable import Nothing
from shared.platform.durable.handles import Envelope
from shared.platform.errors import TerminalError, TransientError

REF = DeploymentRef(deployment_id="dep_AAAAAAAAAAAA", organization_id="org")
REVISION = Revision(name="r1", url="http://x", healthy=True)
STEPS = [
    "claim_deployment",
    "validate_deployment",
    "provision_container",
    "sync_files",
    "build_image",
    "release_revision",
    "promote_revision",
    "settle_deployment",
    "clean_up",
    "end_deployment",
]


class Task:
    """What the host schedules, and under which name it takes part in a race."""

    def __init__(self, run, name: str = "work") -> None:
        self.run = run
        self.name = name

    def cancel(self) -> None:
        self.run = lambda: None


def host_on(player: type) -> type:  # noqa: C901 - the methods of the class count as branches
    """A player with one entity, whose races the test decides."""

    class Host(player):
        def __init__(self) -> None:
            super().__init__()
            self.slots = Slots()
            self.wins: list[str] = []  # what wins the next race it takes part in: an event's name, or `timer`

        def new_uuid(self) -> str:
            return "execution"

        def call_entity(self, entity, operation, payload) -> Task:
            def ask() -> str:
                request = deploy_slots.takes.model_validate_json(payload)
                self.slots, answer = slots.decide(self.slots, request)
                self.calls.append((request.wants, request))
                return Envelope(value=answer.model_dump_json()).model_dump_json()

            return Task(ask)

        def wait_for_external_event(self, name: str) -> Task:
            return Task(lambda: None, name)

        def create_timer(self, fire_at) -> Task:
            return Task(super().create_timer(fire_at).run, "timer")

        def task_any(self, tasks) -> Task:
            return Task(lambda: self._first(tasks))

        def _first(self, tasks) -> Any:
            named = [getattr(one, "name", "work") for one in tasks]
            winner = next((name for name in self.wins if name in named), None)
            if winner is not None:
                self.wins.remove(winner)
                return tasks[named.index(winner)]
            if "work" in named:
                return tasks[named.index("work")]
            timer = tasks[named.index("timer")]
            timer.run()
            return timer

        def done(self) -> list[str]:
            return [name for name, _ in self.calls if name not in ("acquire", "release")]

    return Host


@pytest.fixture
def play(player):
    """A host with one entity, on which everything goes well unless the test says otherwise."""

    host = host_on(type(player))()
    host.fakes = {
        "claim_deployment": lambda _: Claimed(
            claimed=True, status=DeploymentStatus.QUEUED, project="org/p", limit=1, timeout_seconds=1800
        ),
        "validate_deployment": lambda _: Nothing(),
        "provision_container": lambda task: WorkspaceReady(**task.model_dump(), workspace="w"),
        "sync_files": lambda task: ContextReady(
            deployment_id=task.deployment_id, organization_id=task.organization_id, context="c"
        ),
        "build_image": lambda _: Built(done=True, image="i"),
        "release_revision": lambda _: Released(done=True, revision=REVISION),
        "promote_revision": lambda _: Serving(url="http://app", custom_domain=False),
        "configure_domain": lambda _: DomainBound(done=True),
        "settle_deployment": lambda _: Nothing(),
        "roll_back": lambda _: Nothing(),
        "clean_up": lambda _: Nothing(),
        "stop_deployment": lambda _: Nothing(),
        "wake_waiting": lambda _: Nothing(),
        "end_deployment": lambda task: Ended(deployment_id=task.deployment_id, status=task.status, code=task.code),
    }
    return host


def failing(code: str):
    def fail(_: Any) -> Any:
        raise TerminalError(f"broken: {code}", code=code, remedy="Mend it.")

    return fail


def test_six_steps_in_their_order_within_a_slot(play) -> None:
    ended = play.play(deployment.deployment, REF)
    assert ended.status is DeploymentStatus.COMPLETED
    assert play.done() == STEPS
    names = [name for name, _ in play.calls]
    assert names.index("acquire") < names.index("validate_deployment")
    assert names[-1] == "release"
    assert play.slots.holders == []


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


def test_a_recovery_acts_for_its_task_hub(play) -> None:
    hub = UUID(int=7)
    play.play(deployment.recover_deployment, Recovery(**REF.model_dump(exclude={"hub"}), hub=hub, settled=False))
    assert {task.hub for name, task in play.calls if name not in ("acquire", "release")} == {hub}


def test_time_boxes_hand_their_cursor_on(play) -> None:
    boxes = iter([Built(done=False, cursor="1"), Built(done=False, cursor="2"), Built(done=True, image="i")])
    play.fakes["build_image"] = lambda _: next(boxes)
    releases = iter([Released(done=False, cursor="a"), Released(done=True, revision=REVISION)])
    play.fakes["release_revision"] = lambda _: next(releases)
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert [task.cursor for task in play.named("build_image")] == [None, "1", "2"]
    assert [task.cursor for task in play.named("release_revision")] == [None, "a"]


def test_a_build_without_end_is_given_up(play) -> None:
    play.fakes["build_image"] = lambda _: Built(done=False)
    assert play.play(deployment.deployment, REF).code == "too-many-time-boxes"


def test_a_domain_is_bound_after_the_app_serves(play) -> None:
    play.fakes["promote_revision"] = lambda _: Serving(url="http://app", custom_domain=True)
    play.play(deployment.deployment, REF)
    assert play.done()[6:8] == ["promote_revision", "configure_domain"]


@pytest.mark.parametrize("step", STEPS[1:8])
def test_a_step_that_fails_is_undone_and_tidied_up(play, step: str) -> None:
    play.fakes[step] = failing("broken-step")
    ended = play.play(deployment.deployment, REF)
    assert (ended.status, ended.code) == (DeploymentStatus.FAILED, "broken-step")
    assert play.done()[-3:] == ["roll_back", "clean_up", "end_deployment"]
    [end] = play.named("end_deployment")
    assert end.remedy == "Mend it."
    assert play.slots.holders == []
    assert "promote_revision" not in play.done() or STEPS.index(step) >= STEPS.index("promote_revision")


def test_an_unhealthy_revision_gets_no_traffic(play) -> None:
    play.fakes["release_revision"] = failing("revision-unhealthy")
    assert play.play(deployment.deployment, REF).code == "revision-unhealthy"
    assert "promote_revision" not in play.done()


def test_what_cannot_be_undone_has_not_ended_and_keeps_its_slot(play) -> None:
    play.fakes["build_image"] = failing("build-failed")
    play.fakes["roll_back"] = failing("left-over")
    with pytest.raises(TerminalError, match="broken: build-failed It could not be undone: broken: left-over") as error:
        play.play(deployment.deployment, REF)
    assert error.value.code == "not-undone"
    assert play.done()[-2:] == ["build_image", "roll_back"]
    assert [one.deployment_id for one in play.slots.holders] == [REF.deployment_id]
    [undo] = play.named("roll_back")
    assert (undo.code, undo.message, undo.remedy) == ("build-failed", "broken: build-failed", "Mend it.")

    play.fakes["roll_back"] = lambda _: Nothing()
    ended = play.play(deployment.recover_deployment, Recovery(**REF.model_dump(), settled=False))
    assert ended.status is DeploymentStatus.FAILED
    assert play.slots.holders == []


def test_what_is_left_over_after_the_undoing_is_told(play) -> None:
    play.fakes["build_image"] = failing("build-failed")
    play.fakes["clean_up"] = failing("left-over")
    play.play(deployment.deployment, REF)
    assert "Undoing it left something over: broken: left-over" in play.named("end_deployment")[0].message


def test_what_turns_out_to_serve_for_good_is_completed(play) -> None:
    play.fakes["settle_deployment"] = failing("answer-lost")
    play.fakes["roll_back"] = failing(FINISHING)
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert play.done()[-3:] == ["roll_back", "clean_up", "end_deployment"]


@pytest.mark.parametrize("step", ["release_revision", "promote_revision"])
@pytest.mark.parametrize("seconds", [60, 600])
def test_defect_services_that_are_away_for_minutes_do_not_call_off_the_undoing(play, step: str, seconds: int) -> None:
    back = None

    def away(name: str, usual: Any) -> Any:
        def answer(task: Any) -> Any:
            nonlocal back
            if name == step and back is None:
                back = play.current_utc_datetime + timedelta(seconds=seconds)
            if back is not None and play.current_utc_datetime < back:
                raise TransientError("Cosmos DB did not answer.", code="cosmos-unavailable")
            return usual(task)

        return answer

    play.fakes = {name: away(name, usual) for name, usual in play.fakes.items()}
    ended = play.play(deployment.deployment, REF)
    assert (ended.status, ended.code) == (DeploymentStatus.FAILED, "cosmos-unavailable")
    assert play.done()[-3:] == ["roll_back", "clean_up", "end_deployment"]
    assert "left something over" not in play.named("end_deployment")[0].message
    assert play.slots.holders == []


@pytest.mark.parametrize("step", ["claim_deployment", "settle_deployment", "clean_up", "end_deployment"])
def test_services_that_are_away_for_minutes_do_not_fail_what_no_cancel_calls_off(play, step: str) -> None:
    usual, back = play.fakes[step], play.current_utc_datetime + timedelta(minutes=10)

    def away(task: Any) -> Any:
        if play.current_utc_datetime < back:
            raise TransientError("Cosmos DB did not answer.")
        return usual(task)

    play.fakes[step] = away
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert "roll_back" not in play.done()


def test_an_app_that_serves_is_completed_though_tidying_up_fails(play) -> None:
    play.fakes["clean_up"] = failing("left-over")
    assert play.play(deployment.deployment, REF).status is DeploymentStatus.COMPLETED
    assert "roll_back" not in play.done()


@pytest.mark.parametrize(("winner", "reason"), [("cancel", CancelReason.REQUEST), ("timer", CancelReason.TIMEOUT)])
def test_who_loses_the_race_is_told_to_stop_and_awaited(play, winner: str, reason: CancelReason) -> None:
    play.wins = [winner]
    cancelled: list[CancelReason] = []
    play.fakes["stop_deployment"] = lambda task: cancelled.append(task.reason) or Nothing()

    def build(_: Any) -> Built:
        assert cancelled == [reason]
        raise DeploymentCancelled("cancelled")

    play.fakes["build_image"] = build
    ended = play.play(deployment.deployment, REF)
    assert ended.code == "deployment-stopped"
    assert play.done()[-3:] == ["roll_back", "clean_up", "end_deployment"]
    assert play.slots.holders == []


def test_defect_a_finished_deployment_is_not_run_again_by_a_repeated_message(play) -> None:
    play.fakes["claim_deployment"] = lambda _: Claimed(
        claimed=False, status=DeploymentStatus.COMPLETED, project="org/p", limit=1, timeout_seconds=1
    )
    ended = play.play(deployment.deployment, REF)
    assert ended.status is DeploymentStatus.COMPLETED
    assert play.done() == ["claim_deployment"]
    assert not [name for name, _ in play.calls if name in ("acquire", "release")]


def busy(play) -> None:
    """Somebody else works on the project."""
    other = play.fakes["claim_deployment"](None)
    request = slots.SlotRequest(
        wants="acquire",
        deployment_id="dep_BBBBBBBBBBBB",
        project=other.project,
        now=play.current_utc_datetime,
        seconds=100_000,
    )
    play.slots, _ = slots.decide(play.slots, request)


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


@pytest.mark.parametrize("settled", [True, False])
def test_what_an_operator_stopped_is_brought_to_an_end(play, settled: bool) -> None:
    busy(play)
    ended = play.play(deployment.recover_deployment, Recovery(**REF.model_dump(), settled=settled))
    if settled:
        assert play.done() == ["clean_up", "end_deployment"]
        assert ended.status is DeploymentStatus.COMPLETED
    else:
        assert play.done() == ["stop_deployment", "roll_back", "clean_up", "end_deployment"]
        assert ended.code == "deployment-lost"


def test_one_that_another_hub_has_taken_over_is_left_to_it(play) -> None:
    play.fakes["build_image"] = failing("deployment-stopped")
    play.fakes["roll_back"] = failing(TAKEN)
    assert play.play(deployment.deployment, REF).code == TAKEN
    assert play.done()[-2:] == ["build_image", "roll_back"]
    assert play.slots.holders == []
