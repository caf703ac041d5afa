"""Many deployments at once: the limit holds, one of a project works at a time, all end; repeats do no harm."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from azure.servicebus import ServiceBusClient, ServiceBusMessage

LIMIT = 8


def most_at_once(deployments: list[dict]) -> int:
    """How many of them were at work at the same moment."""
    moments = [(datetime.fromisoformat(one["startedAt"]), 1) for one in deployments]
    moments += [(datetime.fromisoformat(one["completedAt"]), -1) for one in deployments]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def test_a_hundred_deployments_at_once_never_exceed_the_limit_and_all_end(azure_with) -> None:
    """On the Azure adapter, whose builds and apps cost this machine nothing: what is tried is the orchestration."""
    with azure_with(MAX_CONCURRENT_DEPLOYMENTS=str(LIMIT), AZURE_POLL_SECONDS="0.5") as app:
        app.cloud.seconds = 0.1
        started = [app.release(f"shop-{number}", "here") for number in range(100)]
        ended = app.all_ended(started)
        assert [one["status"] for one in ended] == ["completed"] * 100
        assert most_at_once(ended) == LIMIT
        assert len(app.cloud.apps) == len(app.cloud.runs) == 100
        assert not app.cloud.task_runs


def test_each_of_many_deployments_is_built_once_and_serves(running) -> None:
    """The same with real builds and apps."""
    with running(MAX_CONCURRENT_DEPLOYMENTS="3") as app:
        started = [app.deploy(f"shop-{number}", f"answer {number}") for number in range(8)]
        ended = app.all_ended(started)
        assert [one["status"] for one in ended] == ["completed"] * 8
        assert 2 <= most_at_once(ended) <= 3
        assert sorted(app.built()) == sorted(f"shop-{number}" for number in range(8))
        for number in (0, 4, 7):
            assert app.open(ended[number]["containerAppUrl"]) == f"answer {number}"


def test_of_a_project_one_deployment_runs_at_a_time_and_the_newest_serves_in_the_end(running) -> None:
    """Whatever order the queue starts them in: those that were overtaken end as superseded."""
    with running() as app:
        started = [app.deploy("shop", f"version {number}", build_seconds=0.5) for number in range(4)]
        ended = app.all_ended(started)
        assert ended[-1]["status"] == "completed"
        overtaken = [one for one in ended if one["status"] != "completed"]
        assert {(one["status"], one["error"]["code"]) for one in overtaken} <= {("cancelled", "deployment-superseded")}
        ran = [one for one in ended if one["startedAt"]]
        assert most_at_once(ran) == 1
        assert app.open(ended[-1]["containerAppUrl"]) == "version 3"


def test_repeated_deliveries_start_a_deployment_once_also_after_its_end(running) -> None:
    with running() as app:
        deployment = app.deploy("shop", "one", build_seconds=1)
        send(app, deployment, times=3)
        ended = app.wait(deployment)
        assert ended["status"] == "completed"
        history = app.host.wait_for(deployment).history
        before = received(app)
        send(app, deployment, times=3)
        until(lambda: received(app) == before + 3)
        assert queue(app)["active"] == 0
        assert app.state(deployment) == ended
        assert app.host.orchestration(deployment).history == history
        assert app.built() == ["shop"]
        assert queue(app)["dead_letters"] == 0


def test_defect_queue_metrics_are_stubs_a_dead_letter_is_counted_shown_and_resubmitted(running) -> None:
    with running() as app:
        assert queue(app)["dead_letters"] == 0
        send(app, "dep_AAAAAAAAAAAA")
        until(lambda: queue(app)["dead_letters"] == 1)
        (dead,) = app.ask("GET", "/ops/queues/deployments/dead-letters", status=200)["data"]
        assert "dep_AAAAAAAAAAAA" in json.dumps(dead)
        again = app.ask("POST", "/ops/queues/deployments/dead-letters/resubmit", {"all": True}, status=200)
        assert len(again["resubmitted"]) == 1


def send(app, deployment: str, *, times: int = 1) -> None:
    """Send the deployment's message, which the broker does not know to be the same."""
    body = json.dumps({"deploymentId": deployment, "organizationId": app.organization})
    client = ServiceBusClient.from_connection_string(app.environment["ServiceBus"])
    with client, client.get_queue_sender("deployments") as sender:
        for _ in range(times):
            sender.send_messages(ServiceBusMessage(body, message_id=str(uuid4())))


def received(app) -> int:
    """How many messages the app has dealt with."""
    runs = app.host.request("GET", "/admin/host/invocations?function=deploys_message").json()
    return sum(one["outcome"] == "Succeeded" for one in runs)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def queue(app) -> dict:
    """The figures of the queue."""
    answer = app.ask("GET", "/status/queue")
    assert "data" in answer, answer
    return next(one for one in answer["data"] if one["queue"] == "deployments")
