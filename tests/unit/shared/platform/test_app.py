"""The app from an index of its functions: the same functions, and no more is loaded than is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
OURS = ("activities", "orchestrators", "shared", "triggers")

FUNCTIONS = """
import inspect, json, typing
import function_app
print(json.dumps([
    [
        function.get_function_name(),
        json.loads(function.get_function_json())["bindings"],
        function.is_http_function(),
        list(inspect.signature(user_function).parameters),
        {name: str(kind) for name, kind in typing.get_type_hints(user_function).items() if kind is not type(None)},
        inspect.iscoroutinefunction(user_function),
    ]
    for function in function_app.app.get_functions() for user_function in [function.get_user_function()]
]))
"""
ANSWER = """
import asyncio, sys
import azure.functions as func
import function_app
functions = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}
request = func.HttpRequest("GET", "http://localhost/health/live", body=b"")
before = set(sys.modules)
answers = [asyncio.run(functions["health_live"](req=request)) for _ in range(2)]
assert [answer.status_code for answer in answers] == [200, 200], answers[0].get_body()
"""
TOGETHER = """
import concurrent.futures, json, threading
import function_app
from shared.platform import workload
real, loaded = workload.loaded_app, []
workload.loaded_app = lambda modules: (loaded.append(modules), real(modules))[1]
functions = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}
start = threading.Barrier(4)
def call(name):
    start.wait()
    try:
        functions[name](context="{}")
    except TypeError:  # the SDK's: a real context has a history
        return name
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    called = list(pool.map(call, ["fold", "paper_ingest", "fold", "paper_ingest"]))
print(json.dumps([called, sorted(loaded)]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as it goes to Azure, with its index."""
    folder = tmp_path_factory.mktemp("package")
    for name in (*OURS, "infra/hooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    shutil.copy(ROOT / "function_app.py", folder)
    run("-m", "infra.hooks.index_functions", folder=folder)
    return folder


def run(*arguments: str, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_worker_sees_the_same_functions(package: Path) -> None:
    stubs, whole = (json.loads(run("-c", FUNCTIONS, folder=folder)) for folder in (package, ROOT))
    assert len(whole) > 200
    assert sorted(stubs, key=str) == sorted(whole, key=str)


def test_nothing_of_a_workload_is_loaded_before_it_is_called(package: Path) -> None:
    loaded = run("-c", "import sys, function_app; print(*sys.modules)", folder=package).split()
    assert {name for name in loaded if name.partition(".")[0] in {*OURS, "pydantic"}} == {
        "shared", "shared.platform", "shared.platform.app", "shared.platform.workload_modules",
    }  # fmt: skip


def test_a_call_loads_its_own_workload_alone(package: Path) -> None:
    loaded = run("-c", f"{ANSWER}\nprint(*set(sys.modules) - before)", folder=package).split()
    assert {name.split(".")[1] for name in loaded if name.startswith("triggers.")} == {"operations"}


def test_what_asks_for_all_workloads_has_them(package: Path) -> None:
    code = "from shared.platform.workload import workloads\nprint(*[one.name for one in workloads()])"
    named = run("-c", f"{ANSWER}\n{code}", folder=package).split()
    assert named == run("-c", f"import function_app\n{code}", folder=ROOT).split()
    queues = "from shared.platform.messaging.servicebus import known_queues\nprint(*known_queues())"
    of_stubs = run("-c", f"import os\nos.environ['POSTGRES_DSN'] = 'x'\n{ANSWER}\n{queues}", folder=package).split()
    assert "deployments" in of_stubs


def test_threads_that_call_at_once_load_a_workload_once(package: Path) -> None:
    called, loaded = json.loads(run("-c", TOGETHER, folder=package))
    assert called == ["fold", "paper_ingest", "fold", "paper_ingest"]
    assert loaded == [["triggers.authcache"], ["triggers.papers"]]


def test_an_index_of_other_sources_is_left_alone(package: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(package, changed)
    with (changed / "triggers" / "papers" / "searching.py").open("a") as file:
        file.write("\n# changed since the index was made\n")
    loaded = run("-c", "import sys, function_app; print(*sys.modules)", folder=changed).split()
    assert "triggers.papers.searching" in loaded


def test_an_index_is_made_anew_over_one_that_cannot_be_read(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(package, folder)
    index = folder / "function_index.json"
    kept = index.read_bytes()
    index.write_text("{")
    run("-m", "infra.hooks.index_functions", folder=folder)
    assert index.read_bytes() == kept
