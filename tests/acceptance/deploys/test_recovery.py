"""Orchestrations that are terminated: the sweep ends their deployments clearly, and nobody has to wait for them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from azure.cosmos import CosmosClient

from shared.deploys.running.slots import Slots
from shared.deploys.running.steps import SlotRequest

WEBHOOK = "/runtime/webhooks/durabletask"


def building(app, project: str, answer: str = "two") -> str:
    """A deployment in the midst of a long build."""
    deployment = app.deploy(project, answer, build_seconds=120)
    app.until(deployment, lambda found: found["status"] == "building_image" and app.built()[-1:] == [project])
    return deployment


def terminate(app, instance: str, *, purged: bool = False) -> None:
    path = f"{WEBHOOK}/instances/{instance}"
    assert app.request("POST", f"{path}/terminate?reason=test").status == 202
    assert app.host.wait_for(instance).status == "Terminated"
    if purged:
        assert app.request("DELETE", path).status == 200


def sweep(app, *stale: str, minutes: int = 20) -> None:
    """Let the sweep look, after so many minutes, in which these count as stale."""
    with CosmosClient.from_connection_string(app.environment["COSMOS_CONNECTION"]) as client:
        documents = client.get_database_client("manifold").get_container_client("deployments")
        for one in stale:
            found = documents.read_item(one, app.organization)
            long_ago = datetime.now(UTC) - timedelta(minutes=minutes)
            documents.replace_item(one, {**found, "updatedAt": long_ago.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
    assert app.request("POST", "/admin/functions/operations_minute", {}).status == 202


def slots(app) -> Slots:
    answer = app.request("GET", f"{WEBHOOK}/entities/deploy_slots/all")
    return Slots.model_validate_json(answer.json()) if answer.status == 200 else Slots()


@pytest.mark.parametrize("purged", [False, True])
async def test_one_that_was_terminated_at_work_is_undone_and_its_slot_is_free(running, purged: bool) -> None:
    with running(MAX_CONCURRENT_DEPLOYMENTS="1") as app:
        url = app.wait(app.deploy("shop", "one"))["containerAppUrl"]
        deployment = building(app, "shop")
        terminate(app, deployment, purged=purged)
        sweep(app, deployment)
        ended = app.wait(deployment)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "deployment-lost")
        assert ended["error"]["details"] == "Retry it."
        assert app.open(url) == "one"
        again = app.deploy("shop", "three")
        assert app.wait(again)["status"] == "completed"
        app.until(again, lambda _: slots(app) == Slots(limit=1))


async def test_one_that_was_terminated_while_it_waited_is_ended_and_leaves_the_queue(running) -> None:
    with running(MAX_CONCURRENT_DEPLOYMENTS="1") as app:
        busy = building(app, "busy")
        waiting, next_one = app.deploy("shop", "one"), None
        app.host.wait_for(waiting, until=lambda found: "waiting" in json.dumps(found.custom_status))
        terminate(app, waiting)
        next_one = app.deploy("shop", "two")
        sweep(app, waiting)
        ended = app.wait(waiting)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "deployment-lost")
        app.ask("POST", f"/deploy/{busy}/cancel", status=200)
        assert app.wait(next_one)["status"] == "completed"


async def test_nothing_is_blocked_when_the_task_hub_is_lost(running, tmp_path) -> None:
    with running(MAX_CONCURRENT_DEPLOYMENTS="1") as app:
        deployment = building(app, "shop")
        app.host.kill()
        assert "deployment" in app.host.unfinished()
        shutil.rmtree(app.host.data)
        app.host.start()
        # The new hub cannot tell whether the old one's host still works on it: it believes so for a day.
        sweep(app, deployment, minutes=25 * 60)
        ended = app.wait(deployment)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "deployment-lost")
        again = app.ask("POST", f"/deploy/{deployment}/retry", status=202)["newDeploymentId"]
        app.ask("POST", f"/deploy/{again}/cancel", status=200)
        app.wait(again)
        assert app.wait(app.deploy("shop", "two"))["status"] == "completed"


async def test_a_recovery_that_was_terminated_is_begun_again(running) -> None:
    with running() as app:
        deployment = building(app, "shop")
        terminate(app, deployment)
        sweep(app, deployment)
        recovery = f"{deployment}-recovery"
        app.host.wait_for(recovery, until=lambda found: found.status == "Running")
        terminate(app, recovery)
        if app.state(deployment)["status"] not in ("failed", "cancelled"):
            sweep(app, deployment)
        assert app.wait(deployment)["error"]["code"] == "deployment-lost"


async def test_a_slot_that_an_ended_deployment_kept_is_taken_back(running) -> None:
    with running(MAX_CONCURRENT_DEPLOYMENTS="1") as app:
        ended = app.wait(app.deploy("shop", "one"))["deploymentId"]
        app.host.wait_for(ended)
        kept = SlotRequest(
            wants="acquire",
            deployment_id=ended,
            project=f"{app.organization}/shop",
            now=datetime.now(UTC),
            seconds=3_600,
        )
        path = f"{WEBHOOK}/entities/deploy_slots/all?op=decide"
        assert app.request("POST", path, json.dumps(kept.model_dump_json()).encode()).status == 202
        app.until(ended, lambda _: [one.deployment_id for one in slots(app).holders] == [ended])
        waiting = app.deploy("other", "two")
        app.host.wait_for(waiting, until=lambda found: "waiting" in json.dumps(found.custom_status))
        sweep(app)
        assert app.wait(waiting)["status"] == "completed"
