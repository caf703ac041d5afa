"""The host in a fresh environment: one command installs it, and it runs an app that does not know this repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.forked_host import KilledHost

PROJECT = Path(__file__).parents[4] / "local" / "host"
APP = """
import os
import time
import local.things
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="greet/{name}")
@app.durable_client_input(client_name="client")
async def greet(req: func.HttpRequest, client) -> func.HttpResponse:
    instance = await client.start_new("greeting", None, req.route_params["name"])
    return await client.wait_for_completion_or_create_check_status_response(req, instance, 20000, 100)

@app.orchestration_trigger(context_name="context")
def greeting(context):
    names = yield context.task_all([context.call_activity("hello", f"{context.get_input()} {n}") for n in range(3)])
    return ", ".join(names)

@app.activity_trigger(input_name="name")
def hello(name: str) -> str:
    while name == "held 1" and os.path.exists("hold"):
        open("held", "w").close()
        time.sleep(0.01)
    return local.things.GREETING + name
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment") / "venv"
    uv = str(Path(sys.executable).parent / "uv")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--system-certs", "--python", str(folder / "bin" / "python"), str(PROJECT)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, cwd=folder.parent)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("package", ["package", "folder"])
def test_a_durable_app_runs_and_goes_on_after_a_kill(environment, tmp_path, package):
    app = tmp_path / "app"
    (app / "local").mkdir(parents=True)  # a package of the host's own name
    (app / "local" / "things.py").write_text("GREETING = 'Hello, '\n")
    if package == "package":
        (app / "local" / "__init__.py").touch()
    (app / "function_app.py").write_text(APP)
    (app / "host.json").write_text('{"version": "2.0"}')
    command = [str(environment / "bin" / "manifold-host")]
    with KilledHost(app, tmp_path / "data", command=command, environment={"PYTHONPATH": ""}) as host:
        assert host.request("GET", "/api/greet/you").body.decode() == "Hello, you 0, Hello, you 1, Hello, you 2"
        (app / "hold").touch()
        instance = host.start_orchestration("greeting", "held")
        host.wait_for(instance, until=lambda _: (app / "held").exists())
        host.kill()
        assert host.unfinished() == ["greeting"]
        (app / "hold").unlink()
        host.start()
        assert host.wait_for(instance).output == "Hello, held 0, Hello, held 1, Hello, held 2"


def test_it_brings_all_of_its_own_code_and_nothing_else_of_this_project(environment):
    where = [str(environment / "bin" / "python"), "-c", "import local.host, local; print(local.host.__file__)"]
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(where, capture_output=True, text=True, timeout=60, check=True, cwd=environment, env=bare)
    installed = Path(done.stdout.strip()).parent
    assert installed.is_relative_to(environment)
    assert [path.name for path in installed.parent.iterdir() if path.name != "__pycache__"] == ["host"]

    def files(folder):
        suffixes = {".py", ".html"}
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in suffixes}

    assert files(installed) == files(PROJECT)
