"""The order of a deployment, and what follows when a step fails, time is up or somebody cancels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrators.deploys import deployment
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import FINISHING, TAKEN, CancelReason, DeploymentStatus
from shared.deploys.running.steps import Built, Claimed, Recovery, Released, Serving
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError, TransientError
from tests.unit.orchestrators.deploys.hosted import REF, REVISION, STEPS, busy, failing


def test_six_steps_in_their_order_within_a_slot(play) -> None:
    ended = play.play(deployment.deployment, REF)
    assert ended.status is DeploymentStatus.COMPLETED
    assert play.done() == STEPS
    names = [name for name, _ in play.calls]
    assert names.index("acquire") < names.index("validate_deployment")
    assert names[-1] == "release"
    assert play.slots.holders == []


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
