"""What becomes of a deployment with time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deploys.documents.retention import GRACE, due
from shared.deploys.models import ArchiveSource, Deployment, DeploymentStatus

KEPT = timedelta(days=90)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ENDS = (DeploymentStatus.COMPLETED, DeploymentStatus.FAILED, DeploymentStatus.CANCELLED)


def deployment(status: DeploymentStatus, age: timedelta, *, variables: bool = True) -> Deployment:
    return Deployment(
        id="dep_AAAAAAAAAAAA",
        project_id="shop",
        user_id="u",
        organization_id="org",
        project_name="Shop",
        source=ArchiveSource(hash="0" * 64),
        secrets_reference="env-x" if variables else None,
        status=status,
        created_at=NOW - age,
        updated_at=NOW,
        completed_at=NOW - age if status.ended else None,
    )


def of(one: Deployment, *, newest: bool = False, serves: bool = False) -> str:
    return due(one, NOW, KEPT, newest=newest, serves=serves)


@pytest.mark.parametrize(
    ("status", "days", "what"),
    [
        (DeploymentStatus.COMPLETED, 0.5, "keep"),
        (DeploymentStatus.COMPLETED, 2, "forget-variables"),
        (DeploymentStatus.CANCELLED, 2, "forget-variables"),
        (DeploymentStatus.FAILED, 2, "keep"),
        (DeploymentStatus.FAILED, 90.5, "keep"),
        (DeploymentStatus.FAILED, 91, "delete"),
        (DeploymentStatus.COMPLETED, 91, "delete"),
        (DeploymentStatus.CANCELLED, 91, "delete"),
    ],
)
def test_variables_go_when_no_retry_can_need_them_and_the_rest_when_it_is_old(status, days, what) -> None:
    assert of(deployment(status, timedelta(days=days))) == what


def test_without_variables_there_is_nothing_to_forget() -> None:
    assert of(deployment(DeploymentStatus.COMPLETED, timedelta(days=2), variables=False)) == "keep"


@given(
    status=st.sampled_from(DeploymentStatus),
    age=st.timedeltas(timedelta(), timedelta(days=1_000)),
    newest=st.booleans(),
    serves=st.booleans(),
)
def test_what_serves_is_at_work_or_may_be_asked_for_again_is_never_touched(status, age, newest, serves) -> None:
    what = of(deployment(status, age), newest=newest, serves=serves)
    may_be_retried = status is DeploymentStatus.FAILED and age < KEPT + GRACE
    if serves or newest or not status.ended or may_be_retried or age < GRACE:
        assert what == "keep"
    if what == "delete":
        assert age >= KEPT + GRACE
