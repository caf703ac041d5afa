"""The registry and its ACR Tasks: uploads, task runs, runs and their logs."""

from __future__ import annotations

import io
import secrets
import tarfile
import time
from collections.abc import Callable

from local.arm.cloud import LOCATION, PROVIDERS, REGISTRY, SERVER, SUBSCRIPTION, ArmError, Cloud, Json, Run
from local.arm.http import Call, Reply, checked
from local.arm.shapes import TaskRun

API = {"2025-04-01"}
TASKS = {"2025-03-01-preview"}


def registry(cloud: Cloud, call: Call) -> Reply:  # noqa: ARG001 - the same signature for every route
    properties = {"loginServer": SERVER, "provisioningState": "Succeeded", "adminUserEnabled": False}
    return Reply({"id": _REGISTRY, "name": REGISTRY, "location": LOCATION, "properties": properties})


def upload_url(cloud: Cloud, call: Call) -> Reply:
    _check_allowed(cloud)
    path = f"source/{secrets.token_hex(8)}.tar.gz"
    cloud.uploads[path] = None
    return Reply({"uploadUrl": f"{call.base}/_blob/{path}?sig={cloud.signature}", "relativePath": path})


def task_run(cloud: Cloud, call: Call) -> Reply:
    """GET, PUT and DELETE of a task run. Asked for again as it was, it does not run again."""
    name = call.values["task"]
    known = cloud.task_runs.get(name)
    if call.method == "DELETE":
        cloud.task_runs.pop(name, None)
        return Reply({}, 200 if known else 204)
    if call.method == "GET":
        if known is None:
            raise ArmError(404, "ResourceNotFound", f"There is no task run {name}.")
        return Reply(_view(cloud, name))
    _check_allowed(cloud)
    body = checked(TaskRun, call.body)
    if known is None or known["body"] != body:
        request: Json = body["properties"]["runRequest"]
        _check_source(cloud, request)
        run = f"ca{len(cloud.runs) + 1}"
        outcome = cloud.outcome(request["imageNames"][0])
        cloud.runs[run] = Run(run, request, outcome, time.monotonic(), cloud.seconds)
        cloud.task_runs[name] = {"body": body, "run": run}
    operation, _ = cloud.begin()
    return Reply(_view(cloud, name), 201, operation=operation)


def run(cloud: Cloud, call: Call) -> Reply:
    return Reply(_run_view(_run(cloud, call)))


def cancel(cloud: Cloud, call: Call) -> Reply:
    found = _run(cloud, call)
    if found.status not in ("Queued", "Running", "Canceled"):
        raise ArmError(400, "InvalidRunStatus", f"Run {found.id} has ended as {found.status}.")
    found.cancelled = True
    return Reply({})


def log_url(cloud: Cloud, call: Call) -> Reply:
    return Reply({"logLink": f"{call.base}/_blob/logs/{_run(cloud, call).id}?sig={cloud.signature}"})


def _check_allowed(cloud: Cloud) -> None:
    if not cloud.builds_allowed:
        message = f"ACR Tasks requests for the registry {REGISTRY} and {SUBSCRIPTION} are not permitted."
        raise ArmError(403, "TasksOperationsNotAllowed", message)


def _check_source(cloud: Cloud, request: Json) -> None:
    """A run needs an uploaded archive that holds its recipe."""
    data = cloud.uploads.get(request["sourceLocation"])
    if data is None:
        raise ArmError(400, "InvalidSourceLocation", "Nothing was uploaded there.")
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            names = {name.removeprefix("./") for name in archive.getnames()}
    except (tarfile.TarError, OSError) as error:
        raise ArmError(400, "InvalidSourceLocation", "The source is no tar.gz.") from error
    if request["dockerFilePath"] not in names:
        raise ArmError(400, "InvalidDockerFilePath", f"The source has no {request['dockerFilePath']}.")


def _run(cloud: Cloud, call: Call) -> Run:
    found = cloud.runs.get(call.values["run"])
    if found is None:
        raise ArmError(404, "RunNotFound", f"There is no run {call.values['run']}.")
    return found


def _view(cloud: Cloud, name: str) -> Json:
    known = cloud.task_runs[name]
    found = cloud.runs[known["run"]]
    state = {"Succeeded": "Succeeded", "Failed": "Failed", "Canceled": "Canceled"}.get(found.status, "Creating")
    properties = {**known["body"]["properties"], "provisioningState": state, "runResult": _run_view(found)}
    return {"id": f"{_REGISTRY}/taskRuns/{name}", "name": name, "properties": properties}


def _run_view(found: Run) -> Json:
    images: list[Json] = []
    if found.status == "Succeeded":
        repository, tag = found.request["imageNames"][0].split(":")
        images = [{"registry": SERVER, "repository": repository, "tag": tag}]
    error = {"runErrorMessage": "failed during run, err: exit status 1"} if found.status == "Failed" else {}
    properties = {"runId": found.id, "status": found.status, "runType": "QuickBuild", "outputImages": images, **error}
    return {"id": f"{_REGISTRY}/runs/{found.id}", "name": found.id, "properties": properties}


_REGISTRY = f"{PROVIDERS}/Microsoft.ContainerRegistry/registries/{REGISTRY}"
ROUTES: list[tuple[str, str, set[str], Callable[[Cloud, Call], Reply]]] = [
    ("GET", _REGISTRY, API, registry),
    ("POST", f"{_REGISTRY}/listBuildSourceUploadUrl", TASKS, upload_url),
    ("GET PUT DELETE", f"{_REGISTRY}/taskRuns/{{task}}", TASKS, task_run),
    ("GET", f"{_REGISTRY}/runs/{{run}}", TASKS, run),
    ("POST", f"{_REGISTRY}/runs/{{run}}/cancel", TASKS, cancel),
    ("POST", f"{_REGISTRY}/runs/{{run}}/listLogSasUrl", TASKS, log_url),
]
