"""The order in which an app or a project is deleted."""

from __future__ import annotations

import pytest

from orchestrators.deploys.removal import remove_apps
from shared.deploys.models import Environment
from shared.deploys.running.steps import Forgotten, RemoveApps
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError


@pytest.fixture
def host(player):
    player.fakes = {
        "remove_app": lambda _: Nothing(),
        "forget_app": lambda _: Forgotten(done=True, deleted=1),
        "forget_sources": lambda _: Forgotten(done=True, deleted=1),
        "end_removal": lambda _: Nothing(),
    }
    return player


def task(*environments: Environment) -> RemoveApps:
    return RemoveApps(organization_id="org", project_id="shop", environments=list(environments), whole=False)


def test_each_app_stops_before_its_documents_go_and_the_project_is_last(host) -> None:
    host.play(remove_apps, task("development", "staging"))
    assert [name for name, _ in host.calls] == [
        "remove_app",
        "forget_app",
        "remove_app",
        "forget_app",
        "forget_sources",
        "end_removal",
    ]


def test_time_boxes_follow_one_another_until_nothing_is_left(host) -> None:
    boxes = iter([False, False, True])
    host.fakes["forget_app"] = lambda _: Forgotten(done=next(boxes), deleted=5)
    host.play(remove_apps, task("development"))
    assert [name for name, _ in host.calls].count("forget_app") == 3


def test_what_an_app_left_is_not_forgotten_while_it_runs(host) -> None:
    def refuse(_):
        raise TerminalError("the platform refused", code="platform-refused")

    host.fakes["remove_app"] = refuse
    with pytest.raises(TerminalError):
        host.play(remove_apps, task("development"))
    assert [name for name, _ in host.calls] == ["remove_app"] * len(host.calls)
