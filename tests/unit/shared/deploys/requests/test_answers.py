"""What the answers show of a deployment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.deploys.models import CancelReason, Deployment, DeploymentStatus, GitSource, Step, StepWork
from shared.deploys.platforms.base import AppHealth
from shared.deploys.requests import answers
from tests.unit.shared.deploys.models.requested import NOW, deployment

COMMIT = "a" * 40


def as_it_is(**changes) -> Deployment:
    return deployment().model_copy(update=changes)


@pytest.mark.parametrize("status", DeploymentStatus)
def test_an_address_is_shown_unless_it_was_taken_back(status: DeploymentStatus) -> None:
    one = as_it_is(status=status, container_app_url="http://app", custom_domain_url="https://shop.example.com")
    undone = status in (DeploymentStatus.FAILED, DeploymentStatus.CANCELLED)
    shown = (None, None) if undone else ("http://app", "https://shop.example.com")
    state, summary = answers.state(one), answers.summary(one)
    assert (state.container_app_url, state.custom_domain_url) == shown
    assert (summary.container_app_url, summary.custom_domain_url) == shown
    assert state.success is (status is not DeploymentStatus.FAILED)


def test_steps_are_listed_once_they_have_ended_and_the_one_at_work_is_named() -> None:
    steps = [
        StepWork(name=Step.SYNC, started_at=NOW, ended_at=NOW + timedelta(seconds=1.23456), success=True),
        StepWork(name=Step.BUILD, started_at=NOW),
    ]
    at_work = answers.state(as_it_is(status=DeploymentStatus.BUILDING_IMAGE, steps=steps))
    assert at_work.current_step is Step.BUILD
    assert [(one.name, one.duration) for one in at_work.steps] == [(Step.SYNC, 1.235)]
    assert answers.state(as_it_is(status=DeploymentStatus.CANCELLED, steps=steps)).current_step is None


@pytest.mark.parametrize("reason", [None, *CancelReason])
def test_only_a_cancel_that_somebody_requested_is_shown_as_one(reason: CancelReason | None) -> None:
    assert answers.state(as_it_is(cancel_reason=reason)).cancel_requested is (reason is CancelReason.REQUEST)


def test_how_the_app_is_doing_is_shown_where_it_is_known() -> None:
    assert answers.state(deployment()).app is None
    app = answers.state(deployment(), AppHealth(healthy=False, restarts=3, reason="it ended")).app
    assert app == answers.AppHealthState(healthy=False, restarts=3, reason="it ended")


@pytest.mark.parametrize(
    ("named", "fetched", "shown"), [(None, None, None), (None, COMMIT, COMMIT), (COMMIT, "b" * 40, COMMIT)]
)
def test_a_list_names_the_archive_or_the_commit_that_was_deployed(named, fetched, shown) -> None:
    archive = answers.summary(deployment())
    assert (archive.source_hash, archive.git_url, archive.commit_sha) == ("0" * 64, None, None)
    source = GitSource(url="https://example.com/shop", branch="main", commit=named)
    summary = answers.summary(as_it_is(source=source, fetched_commit=fetched))
    assert (summary.source_hash, summary.git_url, summary.commit_sha) == (None, "https://example.com/shop", shown)
