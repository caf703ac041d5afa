"""The whole orchestration on the Azure adapter: the app as it runs in Azure, with stand-ins where Azure would be.

What interrupts each step is in test_interruptions.py. Contexts and logs lie in the real Azurite. The credential is
azure-identity's own, which asks a managed identity's endpoint for its tokens; deployed apps are opened under their
https addresses.
"""

from __future__ import annotations

import json
import threading
import time

import pytest

from local.arm.cloud import DOMAIN, Outcome, broken, locked, throttled

HOST = "shop.example.com"
CANARY = "canary-4b7e-never-shown"


@pytest.fixture
def azure(on_azure):
    """The cloud as each test finds it: quick and without trouble."""
    on_azure.cloud.seconds = 0.1
    on_azure.cloud.trouble.clear()
    yield on_azure
    on_azure.cloud.after = lambda _: None


def suffix(deployment: str) -> str:
    """Of a deployment's revision."""
    return f"d{deployment.removeprefix('dep_').lower()}"


def eventually(holds, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_version_serves_once_it_is_healthy_and_a_broken_one_never(azure) -> None:
    first = azure.wait(azure.release("shop", "one", envVariables={"API_KEY": CANARY}))
    assert first["status"] == "completed", azure.log(first["deploymentId"])
    assert [one["name"] for one in first["steps"]] == ["validation", "container", "sync", "build", "deploy", "cleanup"]
    url = first["containerAppUrl"]
    assert url == f"https://{azure.apps('shop')[0].name}.{DOMAIN}"
    assert azure.open(url) == "one"
    assert "Built crmanifold.azurecr.io/apps/shop-" in azure.log(first["deploymentId"])

    azure.cloud.seconds = 1
    second = azure.release("shop", "two")
    eventually(lambda: suffix(second) in azure.active("shop"))
    new = azure.apps("shop")[0].revisions[f"{azure.apps('shop')[0].name}--{suffix(second)}"]
    while azure.state(second)["status"] != "completed":
        healthy = new.states[2] == "Healthy"
        assert healthy or azure.shares("shop") == {suffix(first["deploymentId"]): 100}
    assert azure.open(url) == "two"
    assert (azure.shares("shop"), azure.active("shop")) == ({suffix(second): 100}, [suffix(second)])

    azure.cloud.seconds = 0.1
    sick = Outcome(healthy=False, answer=(500, "cannot reach the database"))
    broken_one = azure.wait(azure.release("shop", "three", sick))
    assert (broken_one["status"], broken_one["error"]["code"]) == ("failed", "revision-unhealthy")
    assert broken_one["error"]["step"] == "deploy"
    assert "cannot reach the database" in azure.log(broken_one["deploymentId"])
    assert azure.open(url) == "two"
    assert azure.active("shop") == [suffix(second)]

    history = azure.host.orchestration(first["deploymentId"]).history
    everything_said = json.dumps([history, first, azure.log(first["deploymentId"])]) + "\n".join(azure.host.output)
    assert CANARY not in everything_said
    assert CANARY in " ".join(azure.cloud.secrets.values())


def test_a_custom_domain_is_certified_and_bound_and_stays(azure) -> None:
    azure.wait(azure.release("domain", "one"))
    azure.cloud.dns[HOST] = "CNAME"
    bound = azure.wait(azure.release("domain", "two", customDomain=HOST))
    assert (bound["status"], bound["customDomainUrl"]) == ("completed", f"https://{HOST}"), azure.log(
        bound["deploymentId"]
    )
    (certificate,) = azure.cloud.certificates.values()
    assert certificate.body["properties"] == {"subjectName": HOST, "domainControlValidation": "CNAME"}
    assert azure.open(f"https://{HOST}") == "two"
    azure.wait(azure.release("domain", "three"))
    assert azure.open(f"https://{HOST}") == "three"


def test_a_domain_that_is_not_the_owners_stops_a_deployment_before_it_begins(azure) -> None:
    first = azure.wait(azure.release("stranger", "one"))
    refused = azure.wait(azure.release("stranger", "two", customDomain="other.example.com"))
    assert (refused["status"], refused["error"]["code"]) == ("failed", "domain-not-verified")
    assert "TXT asuid.other.example.com" in azure.log(refused["deploymentId"])
    assert (azure.runs("stranger"), azure.open(first["containerAppUrl"])) == (["Succeeded"], "one")


def test_a_cancel_in_the_build_cancels_the_run(azure) -> None:
    first = azure.wait(azure.release("halted", "one"))
    slow = azure.release("halted", "two", Outcome(build=None))
    eventually(lambda: azure.runs("halted") == ["Succeeded", "Running"])
    requested_at = time.monotonic()
    azure.ask("POST", f"/deploy/{slow}/cancel", status=200)
    assert azure.wait(slow)["status"] == "cancelled"
    assert time.monotonic() - requested_at < 8
    assert azure.runs("halted") == ["Succeeded", "Canceled"]
    assert azure.active("halted") == [suffix(first["deploymentId"])]
    assert not azure.cloud.task_runs


def test_a_cancel_of_a_first_deployment_leaves_no_app(azure) -> None:
    cancelled = azure.release("vanished", "one")
    azure.cloud.seconds = 1
    eventually(lambda: azure.apps("vanished"))
    azure.ask("POST", f"/deploy/{cancelled}/cancel", status=200)
    assert azure.wait(cancelled)["status"] == "cancelled"
    assert not azure.apps("vanished")


def test_a_build_that_fails_is_told_with_what_the_builder_said(azure) -> None:
    failed = azure.wait(azure.release("wrong", "one", Outcome(build="Failed", log="Step 3/5: no such package\n")))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "build-failed")
    assert failed["error"]["step"] == "build"
    assert "Step 3/5: no such package" in azure.log(failed["deploymentId"])
    assert not azure.apps("wrong")
    assert not azure.cloud.task_runs


def test_an_operation_that_fails_at_its_end_leaves_the_version_before(azure) -> None:
    first = azure.wait(azure.release("unpulled", "one"))
    failed = azure.wait(azure.release("unpulled", "two", Outcome(pulled=False)))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "revision-unhealthy")
    assert "MANIFEST_UNKNOWN" in azure.log(failed["deploymentId"])
    assert azure.open(first["containerAppUrl"]) == "one"


@pytest.mark.parametrize(
    "permission",
    [
        "Microsoft.App/managedEnvironments/read",
        "Microsoft.ContainerRegistry/registries/taskRuns/write",
        "Microsoft.App/containerApps/write",
    ],
    ids=["validation", "build", "deploy"],
)
def test_throttling_failures_and_conflicts_are_waited_for(azure, permission: str, request) -> None:
    """They begin with the first request of a step that is carried out."""
    project = f"rough-{request.node.callspec.id}"
    reached = threading.Event()

    def trouble(permissions: set[str]) -> None:
        if permission in permissions and not reached.is_set():
            reached.set()
            azure.cloud.trouble += [throttled(), broken(), locked(), throttled()]

    azure.cloud.seconds = 0.5
    azure.cloud.after = trouble
    deployment = azure.release(project, "one")
    ended = azure.wait(deployment)
    assert ended["status"] == "completed", azure.log(deployment)
    assert reached.is_set()
    assert (azure.cloud.trouble, azure.runs(project)) == ([], ["Succeeded"])
    assert azure.open(ended["containerAppUrl"]) == "one"
