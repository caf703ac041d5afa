"""Logs as events: an answer without a new line ends in time."""

from __future__ import annotations

import pytest

from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.requests import log_events

NO_LINE = "retry: 250\n: no new line\n\n"


@pytest.fixture(autouse=True)
def _soon(storage, monkeypatch) -> None:
    monkeypatch.setattr(log_events, "WAIT_SECONDS", 0.1)


async def test_an_answer_without_a_new_line_ends_in_time(new) -> None:
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    assert await log_events.follow(written, "0") == NO_LINE


async def test_an_app_that_does_not_run_yet_is_waited_for(new, monkeypatch) -> None:
    class Platform:
        async def log_from(self, _spec, _cursor) -> None:
            return None

    monkeypatch.setattr(log_events, "platform", Platform)
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    assert await log_events.follow_app(written, None) == NO_LINE


@pytest.mark.parametrize("follow", [log_events.follow, log_events.follow_app])
async def test_after_the_end_of_a_log_there_is_nothing_more(new, follow) -> None:
    assert await follow(new(status=DeploymentStatus.COMPLETED), "12-end") is None
