"""From source to a running app, on the real host."""

from __future__ import annotations

import json


async def test_an_app_is_deployed_replaced_and_protected_from_a_broken_version(running) -> None:
    async with running() as app:
        first = app.wait(app.deploy("shop", "one", envVariables={"API_KEY": "canary-9d2e-never-shown"}))
        assert first["status"] == "completed", app.log(first["deploymentId"])
        assert first["progress"] == 100
        assert [one["name"] for one in first["steps"]] == [
            "validation",
            "container",
            "sync",
            "build",
            "deploy",
            "cleanup",
        ]
        url = first["containerAppUrl"]
        assert app.open(url) == "one"
        assert "building shop" in app.log(first["deploymentId"])

        second = app.wait(app.deploy("shop", "two"))
        assert (second["status"], second["containerAppUrl"]) == ("completed", url)
        assert app.open(url) == "two"

        broken = app.wait(app.deploy("shop", None))
        assert broken["status"] == "failed"
        assert broken["error"]["code"] == "revision-unhealthy"
        assert broken["error"]["step"] == "deploy"
        assert app.open(url) == "two"
        assert "this version is broken" in app.log(broken["deploymentId"])

        retried = app.ask("POST", f"/deploy/{broken['deploymentId']}/retry", status=202)
        assert app.wait(retried["newDeploymentId"])["status"] == "failed"
        assert app.open(url) == "two"

        listed = app.ask("GET", "/status/deployments/acme", status=200)
        assert listed["counts"] == {"completed": 2, "failed": 2}
        history = app.host.orchestration(first["deploymentId"])
        everything = json.dumps([history.history, listed]) + "\n".join(app.host.output)
        assert "canary-9d2e" not in everything
        assert "canary-9d2e" not in app.log(first["deploymentId"])
        again = app.host.orchestration(first["deploymentId"])
        assert again.status == "Completed"
