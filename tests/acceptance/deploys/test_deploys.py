"""From source to a running app, on the real host."""

from __future__ import annotations

import json
import os
import re

from azure.storage.blob import BlobServiceClient

from tests.present import present


async def test_an_app_is_deployed_replaced_and_protected_from_a_broken_version(running) -> None:
    with running() as app:
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
        assert app.open(f"{url}/asked-after-the-end") == "two"
        said = app.ask("GET", f"/deploy/{second['deploymentId']}/app-log", status=200)["lines"]
        assert any("/asked-after-the-end" in line for line in said)
        assert app.ask("GET", f"/deploy/{first['deploymentId']}/app-log", status=200)["lines"] == []

        broken = app.wait(app.deploy("shop", None))
        assert broken["status"] == "failed"
        assert broken["error"]["code"] == "revision-unhealthy"
        assert broken["error"]["step"] == "deploy"
        assert app.open(url) == "two"
        assert "this version is broken" in app.log(broken["deploymentId"])

        retried = app.ask("POST", f"/deploy/{broken['deploymentId']}/retry", status=202)
        assert app.wait(retried["newDeploymentId"])["status"] == "failed"
        assert app.open(url) == "two"

        listed = app.ask("GET", f"/status/deployments/{app.organization}", status=200)
        assert listed["counts"] == {"completed": 2, "failed": 2}
        history = app.host.orchestration(first["deploymentId"])
        everything = json.dumps([history.history, listed]) + "\n".join(app.host.output)
        assert "canary-9d2e" not in everything
        assert "canary-9d2e" not in app.log(first["deploymentId"])
        again = app.host.orchestration(first["deploymentId"])
        assert again.status == "Completed"


async def test_defect_validation_and_logs_are_stubs_and_the_build_runs_in_the_service(running) -> None:
    with running() as app:
        first = app.deploy("shop", "one", build_seconds=4)
        app.until(first, lambda found: found["status"] == "building_image")
        second = app.deploy("shop", "two")  # waits for the first
        blobs = BlobServiceClient.from_connection_string(app.environment["STORAGE_CONNECTION"])
        with blobs, blobs.get_container_client("deploy-sources") as sources:
            uploads = sorted(sources.list_blobs(), key=lambda one: one.last_modified)
            sources.delete_blob(uploads[-1].name)
        assert app.state(second)["status"] == "queued"

        built = app.wait(first)
        assert built["status"] == "completed"
        parent, user = map(int, present(re.search(r"parent (\d+) user (\d+)", app.log(first))).groups())
        assert parent != app.host.pid
        assert os.getuid() != 0 or user != 0

        refused = app.wait(second)
        assert (refused["status"], refused["error"]["step"]) == ("failed", "validation")
        assert refused["error"]["code"] == "source-not-found"
        assert [(one["name"], one["success"]) for one in refused["steps"]] == [("validation", False), ("cleanup", True)]
        assert app.open(built["containerAppUrl"]) == "one"


TOKEN = "canary-token-3b1f-never-shown"


async def test_files_and_a_git_token_of_a_request_reach_what_they_are_for_and_nothing_else(running) -> None:
    with running() as app:
        request_body = {"projectId": "page", "userId": "u", "organizationId": app.organization, "projectName": "Page"}
        files = [{"path": "index.html", "content": "from the request"}]
        accepted = app.ask("POST", "/deploy", {**request_body, "files": files}, status=202)
        served = app.wait(accepted["deploymentId"])
        assert (served["status"], served["runtime"]) == ("completed", "a site"), app.log(served["deploymentId"])
        assert app.open(served["containerAppUrl"]) == "from the request"
        app.open(f"{served['containerAppUrl']}/seen")
        events = f"/deploy/{served['deploymentId']}/app-log/events"
        assert "/seen" in app.request("GET", events).body.decode()

        private = {"gitUrl": "https://no-such-host.invalid/team/app", "gitToken": TOKEN, "gitUser": "oauth2"}
        accepted = app.ask("POST", "/deploy", {**request_body, **private}, status=202)
        failed = app.wait(accepted["deploymentId"])
        assert (failed["status"], failed["error"]["step"]) == ("failed", "sync")
        history = app.host.orchestration(failed["deploymentId"]).history
        listed = app.ask("GET", f"/status/deployments/{app.organization}", status=200)
        said = json.dumps([history, listed, failed]) + "\n".join(app.host.output) + app.log(failed["deploymentId"])
        assert TOKEN not in said
