"""The stand-in is strict where Azure is strict."""

import asyncio
import copy
import io
import signal
import tarfile
from typing import Any

import httpx
import pytest

from local.arm.cloud import (
    ENVIRONMENT,
    IDENTITY,
    LOCATION,
    PROVIDERS,
    REGISTRY,
    SERVER,
    Cloud,
    Outcome,
    locked,
    throttled,
)
from local.arm.testing import served
from local.killable import KillableService
from local.processes import free_port

APP = f"{PROVIDERS}/Microsoft.App/containerApps/shop"
TASKS = f"{PROVIDERS}/Microsoft.ContainerRegistry/registries/{REGISTRY}"
V_APPS, V_TASKS = {"api-version": "2025-01-01"}, {"api-version": "2025-03-01-preview"}


@pytest.fixture
def cloud():
    return Cloud(seconds=0)


@pytest.fixture
async def http(cloud):
    async with served(cloud) as endpoint:
        headers = {"Authorization": f"Bearer {cloud.token(endpoint)}"}
        async with httpx.AsyncClient(base_url=endpoint, headers=headers) as client:
            yield client


def archive(*names):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return buffer.getvalue()


def run_of(source, tag="one"):
    request = {
        "type": "DockerBuildRequest",
        "imageNames": [f"apps/shop:{tag}"],
        "isPushEnabled": True,
        "dockerFilePath": "Dockerfile",
        "sourceLocation": source,
        "platform": {"os": "Linux", "architecture": "amd64"},
    }
    return {"location": LOCATION, "properties": {"runRequest": request}}


async def build(http, tag="one"):
    target = (await http.post(f"{TASKS}/listBuildSourceUploadUrl", params=V_TASKS)).json()
    put = await http.put(target["uploadUrl"], content=archive("Dockerfile"), headers={"x-ms-blob-type": "BlockBlob"})
    assert put.status_code == 201
    body = run_of(target["relativePath"], tag)
    answer = await http.put(f"{TASKS}/taskRuns/{tag}", params=V_TASKS, json=body)
    assert answer.status_code == 201, answer.text
    return body


def app_of(tag="one", **ingress) -> Any:
    return {
        "location": LOCATION,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "properties": {
            "environmentId": ENVIRONMENT,
            "configuration": {
                "activeRevisionsMode": "Multiple",
                "secrets": [{"name": "token", "value": "canary"}],
                "ingress": {
                    "external": True,
                    "targetPort": 8080,
                    "traffic": [{"revisionName": f"shop--{tag}", "weight": 100}],
                    **ingress,
                },
                "registries": [{"server": SERVER, "identity": IDENTITY}],
            },
            "template": {
                "revisionSuffix": tag,
                "containers": [
                    {
                        "name": "app",
                        "image": f"{SERVER}/apps/shop:{tag}",
                        "env": [{"name": "TOKEN", "secretRef": "token"}],
                        "resources": {"cpu": 0.5, "memory": "1Gi"},
                    }
                ],
                "scale": {"minReplicas": 0, "maxReplicas": 2},
            },
        },
    }


def changed(path, value):
    body = app_of()
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return body


async def put(http, body, path=APP):
    return await http.put(path, params=V_APPS, json=body)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


async def test_callers_show_a_token_and_a_known_version(http):
    anyone = await http.get(APP, params=V_APPS, headers={"Authorization": "Bearer other"})
    assert code(anyone) == (401, "AuthenticationFailed")
    assert code(await http.get(APP)) == (400, "MissingApiVersionParameter")
    assert code(await http.get(APP, params={"api-version": "2020-01-01"})) == (400, "NoRegisteredProviderFound")
    assert code(await http.get(APP, params=V_APPS)) == (404, "ResourceNotFound")
    assert code(await http.get("/subscriptions/other", params=V_APPS)) == (404, "InvalidResource")


async def test_an_app_is_told_without_the_values_of_its_secrets(http):
    await build(http)
    written = await put(http, app_of())
    assert written.status_code == 201
    assert written.headers["Azure-AsyncOperation"]
    read = await http.get(APP, params=V_APPS)
    assert "canary" not in written.text + read.text
    secrets = (await http.post(f"{APP}/listSecrets", params=V_APPS)).json()["value"]
    assert [(one["name"], one["value"]) for one in secrets] == [("token", "canary")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (changed(["properties", "template", "surprise"], 1), "InvalidRequestContent"),
        (changed(["properties", "template", "containers", 0, "resources", "memory"], "2Gi"), "InvalidRequestContent"),
        (changed(["properties", "configuration", "ingress", "targetPort"], "8080"), "InvalidRequestContent"),
        (changed(["properties", "configuration", "secrets"], [{"name": "token"}]), "InvalidRequestContent"),
        (changed(["properties", "configuration", "secrets"], []), "ContainerAppSecretRefNotFound"),
        (changed(["properties", "configuration", "activeRevisionsMode"], "Single"), "ContainerAppInvalidTrafficWeight"),
        (changed(["properties", "configuration", "ingress", "traffic"], []), "ContainerAppInvalidTrafficWeight"),
        (app_of(traffic=[{"revisionName": "shop--two", "weight": 100}]), "RevisionNotFound"),
        (app_of(customDomains=[{"name": "a.example", "bindingType": "Disabled"}]), "InvalidCustomHostNameValidation"),
        (
            changed(["properties", "configuration", "registries"], []),
            "InvalidParameterValueInContainerTemplate",
        ),
    ],
)
async def test_a_body_that_azure_refuses_is_refused(http, body, expected):
    await build(http)
    answer = await put(http, body)
    assert code(answer) == (400, expected)
    assert "canary" not in answer.text


async def test_a_name_that_azure_refuses_is_refused(http):
    for name in ("Shop", "1shop", "shop--one", "shop-", "s" * 33):
        assert code(await put(http, app_of(), APP.replace("shop", name))) == (400, "ContainerAppInvalidName")


async def test_what_a_write_leaves_out_is_dropped(http, cloud):
    await build(http)
    cloud.dns["a.example"] = "CNAME"
    await put(http, app_of(customDomains=[{"name": "a.example", "bindingType": "Disabled"}]))
    body = app_of()
    body["properties"]["configuration"]["secrets"].append({"name": "more", "value": "x"})
    await put(http, body)
    await put(http, app_of())
    shown = (await http.get(APP, params=V_APPS)).json()["properties"]["configuration"]
    assert (shown["ingress"]["customDomains"], [one["name"] for one in shown["secrets"]]) == (None, ["token"])


async def test_a_patch_keeps_the_template_and_drops_what_it_leaves_out_of_the_configuration(http, cloud):
    await build(http)
    await put(http, app_of())
    patch = {"properties": {"configuration": app_of()["properties"]["configuration"]}}
    answer = await http.patch(APP, params=V_APPS, json=patch)
    assert (answer.status_code, (await http.get(answer.headers["Location"])).json()["status"]) == (202, "Succeeded")
    assert list(cloud.apps["shop"].revisions) == ["shop--one"]
    del patch["properties"]["configuration"]["secrets"]
    refused = await http.patch(APP, params=V_APPS, json=patch)
    assert code(refused) == (400, "ContainerAppSecretRefNotFound")


async def test_a_suffix_names_one_template(http):
    await build(http)
    await put(http, app_of())
    other = copy.deepcopy(app_of())
    other["properties"]["template"]["scale"]["maxReplicas"] = 3
    assert code(await put(http, other)) == (400, "RevisionSuffixInUse")
    assert (await put(http, app_of())).status_code == 200


async def test_one_write_at_a_time(http, cloud):
    await build(http)
    cloud.seconds = 60
    assert (await put(http, app_of())).status_code == 201
    assert code(await put(http, app_of())) == (409, "ContainerAppOperationInProgress")


async def test_an_image_that_was_never_built_fails_the_operation(http):
    answer = await put(http, app_of())
    shown = (await http.get(answer.headers["Azure-AsyncOperation"])).json()
    assert (shown["status"], "MANIFEST_UNKNOWN" in shown["error"]["message"]) == ("Failed", True)


async def test_throttling_says_when_to_come_back(http, cloud):
    cloud.trouble, cloud.retry_after = [throttled()], 7
    answer = await http.get(APP, params=V_APPS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert (await http.get(APP, params=V_APPS)).status_code == 404


async def test_a_refusal_of_container_apps_may_lack_the_envelope(http, cloud):
    cloud.trouble = [locked()]
    answer = await http.get(APP, params=V_APPS)
    assert (answer.status_code, answer.json()["code"]) == (409, "ContainerAppLockConflict")


async def test_a_task_run_that_is_asked_for_twice_runs_once(http, cloud):
    body = await build(http)
    again = await http.put(f"{TASKS}/taskRuns/one", params=V_TASKS, json=body)
    assert (again.status_code, len(cloud.runs)) == (201, 1)


async def test_a_run_needs_an_uploaded_source_with_its_recipe(http, cloud):
    missing = await http.put(f"{TASKS}/taskRuns/one", params=V_TASKS, json=run_of("source/none.tar.gz"))
    assert code(missing) == (400, "InvalidSourceLocation")
    cloud.uploads["source/a.tar.gz"] = archive("app.py")
    bare = await http.put(f"{TASKS}/taskRuns/one", params=V_TASKS, json=run_of("source/a.tar.gz"))
    assert code(bare) == (400, "InvalidDockerFilePath")


async def test_logs_and_uploads_need_their_signature_and_logs_are_read_on(http):
    await build(http)
    link = (await http.post(f"{TASKS}/runs/ca1/listLogSasUrl", params=V_TASKS)).json()["logLink"]
    whole = await http.get(link)
    assert whole.text.startswith("built it\n")
    rest = await http.get(link, headers={"Range": "bytes=9-"})
    assert (rest.status_code, rest.text) == (206, whole.text[9:])
    assert (await http.get(link, headers={"Range": "bytes=9000-"})).status_code == 416
    assert (await http.get(link.split("?")[0])).status_code == 403


async def test_a_run_is_cancelled_while_it_goes_on(http, cloud):
    cloud.outcomes["one"] = Outcome(build=None)
    await build(http)
    for _ in range(2):
        assert (await http.post(f"{TASKS}/runs/ca1/cancel", params=V_TASKS)).status_code == 200
    shown = (await http.get(f"{TASKS}/runs/ca1", params=V_TASKS)).json()["properties"]
    assert shown["status"] == "Canceled"
    await build(http, "two")
    assert code(await http.post(f"{TASKS}/runs/ca2/cancel", params=V_TASKS)) == (400, "InvalidRunStatus")


async def test_a_revision_with_traffic_is_not_stopped(http):
    await build(http)
    await put(http, app_of())
    answer = await http.post(f"{APP}/revisions/shop--one/deactivate", params=V_APPS)
    assert code(answer) == (400, "RevisionHasTraffic")


async def test_it_runs_as_a_program():
    service = KillableService(["local.arm", "--port", port := free_port()])
    ready = await asyncio.to_thread(service.start)
    assert ready == f"ready http://127.0.0.1:{port} resource manager\n"
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}{APP}", params=V_APPS)).status_code == 401
    assert await asyncio.to_thread(service.stop, signal.SIGTERM) == 0
