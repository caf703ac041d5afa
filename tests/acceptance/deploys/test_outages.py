"""The state database goes away in the midst of a deployment, for longer than a step is tried again."""

from __future__ import annotations

import threading

import pytest

from local.arm.cloud import Outcome
from local.cosmos.testing import running as running_cosmos
from local.host.testing import Orchestration
from tests.acceptance.deploys.conftest import azure

RELEASE = "Microsoft.App/containerApps/revisions/read"
PROMOTE = "Microsoft.App/containerApps/write"


@pytest.fixture
def cosmos_of_its_own(tmp_path):
    with running_cosmos(tmp_path / "cosmos") as cosmos:
        yield cosmos


def failures(found: Orchestration, step: str) -> int:
    """How many attempts at a step have failed."""
    return sum(event["EventType"] == "TaskFailed" and event["FunctionName"] == step for event in found.history)


@pytest.mark.parametrize("moment", ["release", "promote"])
def test_defect_the_version_before_serves_on_when_the_database_was_away(
    environment, cosmos_of_its_own, tmp_path, moment: str
) -> None:
    cosmos = cosmos_of_its_own
    with azure({**environment, "COSMOS_CONNECTION": cosmos.connection_string}, tmp_path) as app:
        first = app.wait(app.release("shop", "one"))
        serves = app.active("shop")
        database_down = threading.Event()

        def take_away(permissions: set[str]) -> None:
            released = moment == "release" and RELEASE in permissions
            promoted = PROMOTE in permissions and list(app.shares("shop")) != serves
            if (released or promoted) and not database_down.is_set():
                cosmos.kill()
                database_down.set()

        app.cloud.after = take_away
        app.cloud.usual = Outcome(answer=(200, "two"))
        second = app.deploy("shop", "two")
        assert database_down.wait(60), app.log(second)
        # The step's own attempts are over, and not even the undoing succeeds at once.
        app.host.wait_for(second, until=lambda found: failures(found, "roll_back") > 1, timeout=120)
        cosmos.start()
        ended = app.wait(second, seconds=120)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "cosmos-unavailable")
        assert "It was tried 4 times." in ended["error"]["message"]
        assert "left something over" not in ended["error"]["message"]
        assert ended["containerAppUrl"] is None
        assert (app.active("shop"), list(app.shares("shop"))) == (serves, serves)
        assert app.open(first["containerAppUrl"]) == "one"
        assert ended["error"]["message"].splitlines()[0] in app.log(second)
