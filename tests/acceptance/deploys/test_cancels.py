"""A cancel, a time-out and a kill of the host while real builds and apps are at work; what served before serves on.

What goes through each step, request by request, is in test_interruptions.py.
"""

from __future__ import annotations

import time

import pytest

AT_WORK = ["queued", "syncing_files", "building_image", "deploying"]
BALLAST = 20_000_000
"""Bytes of source that take a while to be fetched, checked and packed."""


def begin(app, project: str, answer: str, status: str) -> str:
    """A deployment that stands there, and stays there for seconds."""
    ballast = BALLAST if status == "syncing_files" else 0
    deployment = app.deploy(project, answer, build_seconds=2, start_seconds=2, ballast=ballast)
    if status != "queued":
        app.until(deployment, lambda found: at(found, status))
    return deployment


def at(found: dict, status: str) -> bool:
    """Whether a deployment stands there; it must not have passed."""
    assert found["completedAt"] is None, found
    return found["status"] == status


def test_a_cancel_leaves_the_version_before(running) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one"))
        url = first["containerAppUrl"]
        for status in AT_WORK:
            deployment = begin(app, "shop", "two", status)
            cancelled_at = time.monotonic()
            app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
            ended = app.wait(deployment)
            assert ended["status"] == "cancelled", (status, app.log(deployment))
            assert time.monotonic() - cancelled_at < 8, status
            assert ended["containerAppUrl"] is None
            assert app.open(url) == "one", status
        again = app.wait(app.deploy("shop", "three"))
        assert again["status"] == "completed"
        assert app.open(url) == "three"
        app.ask("POST", f"/deploy/{again['deploymentId']}/cancel", status=400)


def test_defect_the_build_goes_on_after_a_cancel(running) -> None:
    with running() as app:
        deployment = app.deploy("shop", "one", build_seconds=60)
        app.until(deployment, lambda found: found["status"] == "building_image" and app.built() == ["shop"])
        cancelled_at = time.monotonic()
        app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
        assert app.wait(deployment)["status"] == "cancelled"
        assert time.monotonic() - cancelled_at < 8
        lines = app.log(deployment).count(" .")
        time.sleep(0.5)
        assert app.log(deployment).count(" .") == lines


def test_a_deployment_that_takes_too_long_is_undone(running) -> None:
    with running(DEPLOYMENT_TIMEOUT_MS="8000") as app:
        first = app.wait(app.deploy("shop", "one"))
        assert first["status"] == "completed"
        late = app.wait(app.deploy("shop", "two", build_seconds=60))
        assert (late["status"], late["error"]["code"]) == ("failed", "deployment-timeout")
        assert late["error"]["step"] == "build"
        assert app.open(first["containerAppUrl"]) == "one"
        assert app.wait(app.deploy("shop", "three"))["status"] == "completed"


@pytest.mark.crash
@pytest.mark.parametrize("status", AT_WORK)
def test_a_kill_ends_rightly_with_one_build_and_one_app(running, status: str) -> None:
    with running() as app:
        url = app.wait(app.deploy("shop", "one"))["containerAppUrl"]
        deployment = begin(app, "shop", "two", status)
        for _ in range(2):
            left = app.host.restart_by_kill()
            assert "deployment" in left or status == "queued", "only there may its message still be in the queue"
        ended = app.wait(deployment, 300)  # two starts of the host besides, on whatever else the machine does
        assert ended["status"] == "completed", (ended, app.log(deployment))
        assert app.open(url) == "two"
        assert app.built() == ["shop", "shop"]
        assert [one["name"] for one in ended["steps"]].count("build") == 1
        assert app.wait(app.deploy("shop", "three"))["status"] == "completed"
        assert app.open(url) == "three"


@pytest.mark.crash
def test_a_kill_after_a_cancel_still_cancels(running) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one"))
        deployment = begin(app, "shop", "two", "building_image")
        app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
        assert "deployment" in app.host.restart_by_kill()
        assert app.wait(deployment)["status"] == "cancelled"
        assert app.open(first["containerAppUrl"]) == "one"
