"""A kill and a cancel at a request of each step, once Azure has carried it out and before the app is answered.

That moment is the worst one: what was done is not known to whoever asked for it.
The step sync asks nothing of Azure; it is interrupted in test_cancels.py.
"""

from __future__ import annotations

import threading

import pytest

from local.arm.cloud import Outcome

APPS, TASKS = "Microsoft.App/containerApps", "Microsoft.ContainerRegistry/registries"
IN_EACH_STEP = {
    "validation": "Microsoft.App/managedEnvironments/read",
    "container": f"{TASKS}/read",
    "build, before it is asked for": f"{TASKS}/listBuildSourceUploadUrl/action",
    "build, asked for": f"{TASKS}/taskRuns/write",
    "build, followed": f"{TASKS}/runs/listLogSasUrl/action",
    "deploy, asked for": f"{APPS}/write",
    "deploy, watched": f"{APPS}/revisions/read",
}
DOMAIN = {"deploy, certificate asked for": "Microsoft.App/managedEnvironments/managedCertificates/write"}
AFTER_THE_TRAFFIC_HAS_MOVED = {
    "deploy, traffic moved": f"{APPS}/write",
    **DOMAIN,
    "cleanup, of the build": f"{TASKS}/taskRuns/delete",
    "cleanup, of the version before": f"{APPS}/revisions/deactivate/action",
}


@pytest.fixture
def azure(on_azure):
    on_azure.cloud.seconds = 0.2
    yield on_azure
    on_azure.cloud.after = lambda _: None


@pytest.mark.crash
def test_a_kill_in_each_step_builds_once_and_releases_once(azure) -> None:
    first = azure.wait(azure.release("shop", "one"))
    killed = threading.Event()
    left = [*IN_EACH_STEP.values(), *AFTER_THE_TRAFFIC_HAS_MOVED.values()]

    def kill(permissions: set[str]) -> None:
        if left and left[0] in permissions and not killed.is_set():
            left.pop(0)
            azure.host.kill()
            killed.set()

    azure.cloud.after = kill
    azure.cloud.usual = Outcome(answer=(200, "two"))
    azure.cloud.dns["shop.example.com"] = "CNAME"
    second = azure.deploy("shop", "two", customDomain="shop.example.com")
    while left:
        assert killed.wait(60), (left, azure.state(second), azure.log(second))
        azure.host.start()
        killed.clear()
    ended = azure.wait(second)
    assert ended["status"] == "completed", azure.log(second)
    assert azure.runs("shop") == ["Succeeded", "Succeeded"]
    (app,) = azure.apps("shop")
    assert len(app.revisions) == 2
    assert azure.active("shop") == list(azure.shares("shop")) == [f"d{second.removeprefix('dep_').lower()}"]
    assert azure.open(first["containerAppUrl"]) == "two"
    assert ended["customDomainUrl"] == "https://shop.example.com"
    issued = [one.body["properties"]["subjectName"] for one in azure.cloud.certificates.values()]
    assert issued.count("shop.example.com") == 1
    assert [one["name"] for one in ended["steps"]] == ["validation", "container", "sync", "build", "deploy", "cleanup"]
    assert not azure.cloud.task_runs


def test_a_cancel_in_each_step_leaves_the_version_before(azure) -> None:
    first = azure.wait(azure.release("kept", "one"))
    serves = azure.active("kept")
    azure.cloud.dns["kept.example.com"] = "CNAME"
    for moment, permission in {**IN_EACH_STEP, **DOMAIN}.items():
        reached, gone_on = threading.Event(), threading.Event()

        def hold(permissions: set[str], *, wanted=permission, reached=reached, gone_on=gone_on) -> None:
            if wanted in permissions and not reached.is_set():
                reached.set()
                gone_on.wait(10)

        azure.cloud.usual = Outcome(answer=(200, "two"))
        azure.cloud.after = hold
        deployment = azure.deploy("kept", "two", customDomain="kept.example.com")
        assert reached.wait(30), moment
        azure.ask("POST", f"/deploy/{deployment}/cancel", status=200)
        gone_on.set()
        assert azure.wait(deployment)["status"] == "cancelled", (moment, azure.log(deployment))
        assert (azure.active("kept"), list(azure.shares("kept"))) == (serves, serves), moment
        assert azure.open(first["containerAppUrl"]) == "one", moment
        assert not azure.cloud.task_runs, moment
        assert "Running" not in azure.runs("kept"), moment
