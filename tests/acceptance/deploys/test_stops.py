"""A cancel, a time-out and a kill of the host in each step: each ends rightly, what served before serves on."""

from __future__ import annotations

import asyncio
import time

import pytest

STATUSES = [
    "validating",
    "provisioning_container",
    "syncing_files",
    "building_image",
    "deploying",
]


def reach(app, deployment: str, status: str) -> dict:
    """Its state once it stands there or further on: quick steps may be past already."""
    order = ["queued", *STATUSES, "configuring_domain", "updating_database", "completed"]
    order.insert(order.index("deploying"), "pushing_registry")
    return app.until(deployment, lambda found: order.index(found["status"]) >= order.index(status))


async def test_a_cancel_in_each_step_leaves_the_version_before(running) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one"))
        url = first["containerAppUrl"]
        for status in ["queued", *STATUSES]:
            deployment = app.deploy("shop", "two", build_seconds=3)
            if status != "queued":
                reach(app, deployment, status)
            asked = time.monotonic()
            app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
            ended = app.wait(deployment)
            assert ended["status"] == "cancelled", (status, app.log(deployment))
            assert time.monotonic() - asked < 8, status
            assert ended["containerAppUrl"] is None
            assert app.open(url) == "one", status
        again = app.wait(app.deploy("shop", "three"))
        assert again["status"] == "completed"
        assert app.open(url) == "three"
        app.ask("POST", f"/deploy/{again['deploymentId']}/cancel", status=400)


async def test_defect_the_build_goes_on_after_a_cancel(running) -> None:
    with running() as app:
        deployment = app.deploy("shop", "one", build_seconds=60)
        app.until(deployment, lambda found: found["status"] == "building_image" and app.built() == ["shop"])
        asked = time.monotonic()
        app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
        assert app.wait(deployment)["status"] == "cancelled"
        assert time.monotonic() - asked < 8
        lines = app.log(deployment).count(" .")
        await asyncio.sleep(0.5)
        assert app.log(deployment).count(" .") == lines


async def test_a_deployment_that_takes_too_long_is_undone(running) -> None:
    with running(DEPLOYMENT_TIMEOUT_MS="8000") as app:
        first = app.wait(app.deploy("shop", "one"))
        assert first["status"] == "completed"
        late = app.wait(app.deploy("shop", "two", build_seconds=60))
        assert (late["status"], late["error"]["code"]) == ("failed", "deployment-timeout")
        assert late["error"]["step"] == "build"
        assert app.open(first["containerAppUrl"]) == "one"
        assert app.wait(app.deploy("shop", "three"))["status"] == "completed"


@pytest.mark.crash
@pytest.mark.parametrize("status", ["queued", *STATUSES, "updating_database"])
async def test_a_kill_in_each_step_ends_rightly_with_one_build_and_one_app(running, status: str) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one"))
        url = first["containerAppUrl"]
        deployment = app.deploy("shop", "two", build_seconds=2)
        if status != "queued":
            reach(app, deployment, status)
        for _ in range(2):
            app.host.kill()
            app.host.start()
            await asyncio.sleep(0.3)
        # A message that the killed host held comes back when its lock ends, after a minute.
        ended = app.wait(deployment, seconds=180)
        assert ended["status"] == "completed", (ended, app.log(deployment))
        assert app.open(url) == "two"
        assert app.built() == ["shop", "shop"]
        assert [one["name"] for one in ended["steps"]].count("build") == 1
        assert app.wait(app.deploy("shop", "three"))["status"] == "completed"
        assert app.open(url) == "three"


@pytest.mark.crash
async def test_a_kill_after_a_cancel_still_cancels(running) -> None:
    with running() as app:
        first = app.wait(app.deploy("shop", "one"))
        deployment = app.deploy("shop", "two", build_seconds=30)
        app.until(deployment, lambda found: found["status"] == "building_image")
        app.ask("POST", f"/deploy/{deployment}/cancel", status=200)
        app.host.kill()
        app.host.start()
        assert app.wait(deployment)["status"] == "cancelled"
        assert app.open(first["containerAppUrl"]) == "one"
