"""A deployment only goes forward, and a cancel that was accepted is its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deploys.documents import transitions
from shared.deploys.models import (
    PROGRESS,
    ArchiveSource,
    CancelReason,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    Step,
)
from shared.platform.errors import Conflict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = list(
    zip(
        [Step.VALIDATION, Step.CONTAINER, Step.SYNC, Step.BUILD, Step.BUILD, Step.DEPLOY, Step.DEPLOY, Step.CLEANUP],
        transitions.WORKING,
        strict=True,
    )
)
S = DeploymentStatus


def deployment(**changes) -> Deployment:
    return Deployment.model_validate(
        {
            "id": "dep_AAAAAAAAAAAA",
            "project_id": "p",
            "user_id": "u",
            "organization_id": "o",
            "project_name": "P",
            "source": ArchiveSource(hash="0" * 64),
            "created_at": NOW,
            "updated_at": NOW,
            **changes,
        }
    )


OPERATIONS = st.one_of(
    st.tuples(st.just("step"), st.sampled_from(STEPS)),
    st.tuples(st.just("undo"), st.just(Step.CLEANUP)),
    st.tuples(st.just("done"), st.sampled_from(Step)),
    st.tuples(st.just("claim"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("cancel"), st.sampled_from(CancelReason)),
    st.tuples(st.just("end"), st.sampled_from([S.COMPLETED, S.FAILED, S.CANCELLED])),
    st.tuples(st.just("advance"), st.sampled_from(S)),
)


def apply(found: Deployment, what: str, value: Any, now: datetime) -> Deployment:
    changes = {
        "step": lambda: transitions.begin_step(found, value[0], value[1], now),
        "undo": lambda: transitions.begin_step(found, value, None, now),
        "done": lambda: transitions.end_step(found, value, None, now),
        "claim": lambda: transitions.claim(found, value, now),
        "cancel": lambda: transitions.request_cancel(found, value, now),
        "end": lambda: transitions.end(found, value, DeploymentError(code="x", message="x", timestamp=now), now),
        "advance": lambda: transitions.advance(found, value, now),
    }
    return changes[what]()


@given(st.lists(OPERATIONS, max_size=40))
def test_whatever_is_tried_a_deployment_only_goes_forward(operations) -> None:
    found, now = deployment(), NOW
    for what, value in operations:
        now += timedelta(seconds=1)
        try:
            after = apply(found, what, value, now)
        except Conflict:
            continue
        if after.status is not found.status:
            assert after.status in transitions.MAY_BECOME[found.status]
        if found.status.ended:
            assert after.status is found.status
            assert after.completed_at == found.completed_at
        assert after.progress >= found.progress
        assert (after.progress == 100) == (after.status is S.COMPLETED)
        assert found.claimed_by in (None, after.claimed_by)
        names = [one.name for one in after.steps]
        assert len(names) == len(set(names))
        known = {one.name: one for one in found.steps if one.success is not None}
        assert all(one == known[one.name] for one in after.steps if one.name in known)
        found = after


@given(st.lists(OPERATIONS, max_size=20), st.lists(OPERATIONS, max_size=20))
def test_defect_completed_overwrites_cancel(before, after) -> None:
    """Once a cancel was accepted, `cancelled` is the only end, whatever those at work try."""
    found = deployment()
    for what, value in before:
        try:
            found = apply(found, what, value, NOW)
        except Conflict:
            continue
    try:
        found = transitions.request_cancel(found, CancelReason.REQUEST, NOW)
    except Conflict:
        assert found.status in (S.COMPLETED, S.FAILED, S.CANCELLED, S.UPDATING_DATABASE)
        return
    for what, value in after:
        try:
            found = apply(found, what, value, NOW)
        except Conflict:
            continue
    found = transitions.end(found, S.FAILED, None, NOW)
    assert found.status is S.CANCELLED


@pytest.mark.parametrize("status", [S.COMPLETED, S.FAILED, S.CANCELLED])
def test_what_has_ended_is_not_claimed_or_cancelled(status: DeploymentStatus) -> None:
    ended = deployment(status=status)
    for refused in (
        lambda: transitions.claim(ended, "a", NOW),
        lambda: transitions.request_cancel(ended, CancelReason.REQUEST, NOW),
        lambda: transitions.begin_step(ended, Step.BUILD, S.BUILDING_IMAGE, NOW),
    ):
        with pytest.raises(Conflict) as conflict:
            refused()
        assert conflict.value.code == transitions.ENDED


def test_one_that_nobody_works_on_is_cancelled_at_once() -> None:
    assert transitions.request_cancel(deployment(), CancelReason.REQUEST, NOW).status is S.CANCELLED


def test_one_that_tidies_up_can_neither_be_cancelled_nor_fail() -> None:
    settled = transitions.begin_step(deployment(), Step.CLEANUP, S.UPDATING_DATABASE, NOW)
    with pytest.raises(Conflict) as refused:
        transitions.request_cancel(settled, CancelReason.REQUEST, NOW)
    assert refused.value.code == transitions.FINISHING
    with pytest.raises(Conflict, match="cannot become failed"):
        transitions.end(settled, S.FAILED, None, NOW)
    assert transitions.end(settled, S.COMPLETED, None, NOW).progress == 100


def test_undoing_is_no_progress() -> None:
    found = transitions.begin_step(deployment(), Step.BUILD, S.BUILDING_IMAGE, NOW)
    assert transitions.begin_step(found, Step.CLEANUP, None, NOW).progress == PROGRESS[Step.BUILD]


def test_steps_begin_at_the_progress_that_clients_know() -> None:
    found, shown = deployment(), {}
    for step, status in STEPS:
        found = transitions.begin_step(found, step, status, NOW)
        shown.setdefault(step, found.progress)
    assert shown == {
        Step.VALIDATION: 10,
        Step.CONTAINER: 20,
        Step.SYNC: 35,
        Step.BUILD: 55,
        Step.DEPLOY: 85,
        Step.CLEANUP: 85,
    }
    assert transitions.end(found, S.COMPLETED, None, NOW).progress == 100


def test_a_second_execution_does_not_get_what_the_first_has() -> None:
    first = transitions.claim(deployment(), "first", NOW)
    assert transitions.claim(first, "first", NOW).claimed_by == "first"
    with pytest.raises(Conflict) as refused:
        transitions.claim(first, "second", NOW)
    assert refused.value.code == transitions.CLAIMED
