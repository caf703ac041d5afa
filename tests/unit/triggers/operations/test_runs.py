import json
from datetime import UTC, datetime

import pytest

from shared.platform.cursors import sealed
from shared.platform.durable import Instance, InstancePage, RunState
from shared.platform.errors import Conflict, NotFound, TransientError
from triggers.operations.runs import error_of, routes, summarise

CREATED = "2026-11-21T07:22:51Z"


def instance(**values):
    base = {"instanceId": "r1", "name": "diamond_run", "runtimeStatus": "Running", "createdTime": CREATED}
    return Instance.model_validate(base | {"lastUpdatedTime": "2026-11-21T07:23:01Z"} | values)


class Client:
    """What the host would tell of `instances`."""

    def __init__(self, *instances, continuation=None):
        self.instances = {one.instance_id: one for one in instances}
        self.continuation = continuation
        self.asked = {}
        self.terminated = []

    async def page(self, **asked):
        self.asked = asked
        return InstancePage(instances=list(self.instances.values()), continuation=self.continuation)

    async def find(self, instance_id, *, history=False):
        assert history
        return self.instances.get(instance_id)

    async def terminate(self, instance_id, reason):
        if instance_id not in self.instances:
            raise NotFound(f"There is no run {instance_id}.")
        if self.instances[instance_id].state.finished:
            raise Conflict("It has finished.", code="run-finished")
        self.terminated.append((instance_id, reason))


@pytest.mark.parametrize(
    ("method", "url"), [("GET", "/ops/runs"), ("GET", "/ops/runs/r1"), ("POST", "/ops/runs/r1/terminate")]
)
async def test_only_operators(ask, admin, method, url):
    client = Client(instance())
    for headers in ({}, {"X-Admin-Key": "wrong"}):
        answer = await ask(routes, method, url, client=client, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'ApiKey realm="manifold"')
    assert not client.asked
    assert not client.terminated


async def test_runs_are_listed_with_progress_and_without_input(ask, admin):
    client = Client(instance(customStatus={"percent": 40}, input={"password": "x"}), continuation="token==")
    answer = await ask(routes, "GET", "/ops/runs", client=client, headers=admin)
    page = json.loads(answer.get_body())
    assert page["pagination"] == {"limit": 50, "next": sealed("id token==", "list_runs")}
    (run,) = page["data"]
    assert (run["id"], run["status"], run["progress"], run["seconds"]) == ("r1", "Running", {"percent": 40}, 10)
    assert "password" not in answer.get_body().decode()


async def test_filters_reach_the_host(ask, admin):
    client = Client(instance())
    url = "/ops/runs?status=Failed&status=Running&prefix=dia&since=2026-11-21T00:00:00Z&limit=7"
    url += f"&cursor={sealed('id abc=', 'list_runs')}"
    assert (await ask(routes, "GET", url, client=client, headers=admin)).status_code == 200
    assert client.asked == {
        "top": 7,
        "continuation": "abc=",
        "states": [RunState.FAILED, RunState.RUNNING],
        "prefix": "dia",
        "since": datetime(2026, 11, 21, tzinfo=UTC),
    }


async def test_the_newest_come_first_where_that_is_asked(ask, admin):
    old, new = instance(instanceId="a"), instance(instanceId="z", createdTime="2026-11-21T07:22:59Z")
    client = Client(old, new)
    url = "/ops/runs?order=newest&limit=1"
    first = json.loads((await ask(routes, "GET", url, client=client, headers=admin)).get_body())
    assert [run["id"] for run in first["data"]] == ["z"]
    following = first["pagination"]["next"]
    second = json.loads(
        (await ask(routes, "GET", f"{url}&cursor={following}", client=client, headers=admin)).get_body()
    )
    assert ([run["id"] for run in second["data"]], second["pagination"]["next"]) == (["a"], None)
    for changed in (f"order=newest&cursor={following[1:]}", f"order=id&cursor={following}", "cursor=abc"):
        refused = await ask(routes, "GET", f"/ops/runs?{changed}", client=client, headers=admin)
        assert (refused.status_code, json.loads(refused.get_body())["errors"][0]["pointer"]) == (400, "#/cursor")


async def test_names_are_filtered(ask, admin):
    client = Client(instance(), instance(instanceId="r2", name="deployment"))
    answer = await ask(routes, "GET", "/ops/runs?name=dep", client=client, headers=admin)
    assert [run["id"] for run in json.loads(answer.get_body())["data"]] == ["r2"]


@pytest.mark.parametrize(
    "query",
    ["status=running", "since=yesterday", "since=2026-11-21T00:00:00", "since=0.5", "limit=0", "cursor=a%0d%0ax: y"],
)
async def test_unusable_filters_are_refused(ask, admin, query):
    assert (await ask(routes, "GET", f"/ops/runs?{query}", client=Client(), headers=admin)).status_code == 400


async def test_a_run_with_its_steps(ask, admin):
    history = [
        {"EventType": "ExecutionStarted", "Timestamp": CREATED, "FunctionName": "diamond_run"},
        {"EventType": "TaskCompleted", "FunctionName": "plan_run", "ScheduledTime": "2026-11-21T07:22:51.5000000+00:00",
         "Timestamp": "2026-11-21T07:22:52.7500000Z"},
        {"EventType": "TaskScheduled", "FunctionName": "ingest", "Timestamp": CREATED},
    ]  # fmt: skip
    client = Client(instance(historyEvents=history))
    run = json.loads((await ask(routes, "GET", "/ops/runs/r1", client=client, headers=admin)).get_body())
    assert run["events"] == 3
    assert run["steps"] == [
        {"name": "ingest", "completed": 0, "failed": 0, "open": 1, "longest_seconds": 0.0},
        {"name": "plan_run", "completed": 1, "failed": 0, "open": 0, "longest_seconds": 1.25},
    ]
    assert run["error"] is None


async def test_a_run_that_is_not_there(ask, admin):
    answer = await ask(routes, "GET", "/ops/runs/none", client=Client(), headers=admin)
    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (404, "not-found")


async def test_the_host_away_is_503(ask, admin):
    class Away:
        async def page(self, **_):
            raise TransientError("no answer", code="durable-unavailable")

    answer = await ask(routes, "GET", "/ops/runs", client=Away(), headers=admin)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_entities_are_no_runs(ask, admin):
    answer = await ask(routes, "GET", "/ops/runs/@gate@x", client=Client(), headers=admin)
    assert answer.status_code == 400


async def test_a_run_is_stopped_with_a_reason(ask, admin):
    client = Client(instance(), instance(instanceId="done", runtimeStatus="Completed"))

    async def stop(run, body=None):
        answer = await ask(routes, "POST", f"/ops/runs/{run}/terminate", client=client, headers=admin, body=body)
        return answer.status_code

    assert await stop("r1", {"reason": "Wrong window"}) == 204
    assert await stop("r1") == 204
    assert client.terminated == [("r1", "Wrong window (admin)"), ("r1", "Terminated by an operator. (admin)")]
    assert await stop("done") == 409
    assert await stop("none") == 404
    assert await stop("r1", {"why": "x"}) == 400


AWAY = {"code": "supplier-away", "message": "The feed (nivoda) is away.", "remedy": "Call them (now)."}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"runtimeStatus": "Running", "customStatus": {"phase": "x"}}, None),
        ({"runtimeStatus": "Completed", "output": {"a": 1}}, None),
        # Whatever the text of a message looks like, its code is the one that was raised.
        ({"runtimeStatus": "Failed", "customStatus": {"failure": AWAY}, "output": "x failed: A (b)."}, AWAY),
        (
            {"runtimeStatus": "Failed", "output": "Orchestrator function 'x' failed:  'key' (not-a-code)"},
            {"code": None, "message": "'key' (not-a-code)", "remedy": None},
        ),
        ({"runtimeStatus": "Failed"}, {"code": None, "message": "No reason was given.", "remedy": None}),
        (
            {"runtimeStatus": "Terminated", "output": "by hand"},
            {"code": "terminated", "message": "by hand", "remedy": None},
        ),
    ],
)
def test_the_error_of_a_run(told, expected):
    error = error_of(instance(**told))
    assert (error and error.model_dump()) == expected


async def test_a_failed_run_shows_its_error_and_no_output(ask, admin):
    client = Client(instance(runtimeStatus="Failed", output="x failed: A.", customStatus={"failure": AWAY}))
    run = json.loads((await ask(routes, "GET", "/ops/runs/r1", client=client, headers=admin)).get_body())
    assert (run["error"], run["output"]) == (AWAY, None)


def test_every_kind_of_step_is_counted():
    kinds = ["TaskCompleted", "TaskFailed", "TaskFailed", "SubOrchestrationInstanceCompleted", "TimerFired"]
    history = [{"EventType": kind, "FunctionName": "f"} for kind in kinds]
    (step,) = summarise(history)
    assert (step.completed, step.failed, step.open) == (2, 2, 0)
