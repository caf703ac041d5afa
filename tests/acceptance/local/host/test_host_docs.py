"""docs/local-host.md: what it shows to type works, in its order, and what it lists is there."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from local.host.__main__ import _parser
from local.host.testing import HostProcess

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "local-host.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
SERVE = re.findall(r"```bash serve\n(.*?)```", PAGE, re.DOTALL)
OWN, OWN_SERVE, OWN_TEST, CONFTEST, OWN_PYTHON = (
    re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    for kind in ("bash own", "bash own serve", "bash own test", "python conftest", "python own")
)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def typed(script, folder):
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=folder)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return done.stdout


def test_a_newcomers_two_minutes(tmp_path):
    make, *rest = BLOCKS
    typed(make, tmp_path)
    assert SERVE == ["python -m local.host my-app\n"]
    with HostProcess(tmp_path / "my-app", tmp_path / "my-app" / ".local" / "host") as host:
        for block in rest:
            printed = typed(block.replace("localhost:7071", f"127.0.0.1:{host.port}"), tmp_path)
            if "/instances" in block:
                assert json.loads(printed)[0]["output"] == "Hello, you!"
            if "greet/you" in block:
                assert host.wait_for(json.loads(printed)["id"]).output == "Hello, you!"
        assert host.wait_for_output("Executed 'Functions.hello'")


def test_an_app_has_an_environment_of_its_own(tmp_path, monkeypatch):
    typed(BLOCKS[0], tmp_path)
    app = tmp_path / "my-app"
    (app / "requirements.txt").write_text("azure-functions\nazure-functions-durable\n")
    # All but the host comes from the environment of these tests, so that nothing but its build is fetched.
    own = app / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(own)], check=True, timeout=120)
    packages = next(own.glob("lib/python*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (app / "conftest.py").write_text(CONFTEST[0])
    (app / "test_app.py").write_text(OWN_PYTHON[0])
    monkeypatch.setenv("MANIFOLD", str(ROOT))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    typed(f"{OWN[0]}\n{OWN_TEST[0]}", app)
    serve = f". .venv/bin/activate\n{OWN_SERVE[0].strip()} --port 0 --grace 0 > printed & trap 'kill $!' EXIT\n"
    typed(f"{serve}\nuntil grep -q '^ready http' printed; do kill -0 $!; sleep 0.1; done", app)
    assert "hello: activityTrigger" in (app / "printed").read_text()


def test_the_hosts_packages_are_listed_as_they_are_pinned_here():
    project = tomllib.loads((ROOT / "local" / "host" / "pyproject.toml").read_text())["project"]
    listed = {Requirement(line).name: Requirement(line) for line in project["dependencies"]}
    imported = {
        name
        for path in (ROOT / "local" / "host").rglob("*.py")
        for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
    }
    for name in imported:
        top = name.partition(".")[0]
        package = (
            ".".join(name.split(".")[: 3 if re.search(r"\.(storage|data)\.", name) else 2]) if top == "azure" else top
        )
        if top in {*sys.stdlib_module_names, "local", "pytest"} or package == "azure.core":
            continue
        brought = {
            "uvloop": "uvicorn",
            "watchfiles": "uvicorn",
            "pydantic_core": "pydantic",
            "dateutil": "python-dateutil",
            "azure.durable_functions": "azure-functions-durable",
        }.get(package, package.replace(".", "-"))
        assert brought in listed, f"local/host imports {name}"
    for name, requirement in listed.items():
        assert requirement.specifier.contains(version(name)), requirement


def test_the_example_of_a_test_passes(tmp_path):
    (test,) = PYTHON
    (tmp_path / "test_example.py").write_text(test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout


def test_every_flag_is_documented():
    flags = {max(action.option_strings, key=len) for action in _parser()._actions if action.option_strings}
    missing = {flag for flag in flags - {"--help"} if f"`{flag}" not in PAGE and flag != "--enableAuth"}
    assert missing - {"--enable-auth"} == set()


def test_the_fixture_starts_an_app(function_app):
    app = function_app(ROOT / "tests" / "apps" / "durable", settings={"HUB": "Fixture"})
    assert app.wait_for(app.start_orchestration("chain", [1, 2])).output == 3


def test_the_launch_file_starts_the_host():
    launch = json.loads((ROOT / ".vscode" / "launch.json").read_text())
    for configuration in launch["configurations"]:
        assert (configuration["module"], configuration["type"]) == ("local.host", "debugpy")
        known, unknown = _parser().parse_known_args(configuration["args"])
        assert (known.reload, unknown) == (True, [])


@pytest.mark.parametrize("name", ["local-host-deviations.md"])
def test_links_lead_somewhere(name):
    assert name in PAGE
    assert (ROOT / "docs" / name).exists()
