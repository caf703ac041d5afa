"""docs/local-host.md: what it shows to type works, in its order, and what it lists is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.host.__main__ import _parser
from local.host.testing import HostProcess

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "local-host.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
SERVE = re.findall(r"```bash serve\n(.*?)```", PAGE, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def typed(script, folder):
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return done.stdout


def test_a_newcomers_two_minutes(tmp_path):
    make, *rest = BLOCKS
    typed(make, tmp_path)
    assert SERVE == ["python -m local.host my-app\n"]
    with HostProcess(tmp_path / "my-app", tmp_path / "my-app" / ".local" / "host") as host:
        for block in rest:
            printed = typed(block.replace("localhost:7071", f"127.0.0.1:{host.port}"), tmp_path)
            if "greet/you" in block:
                assert host.wait_for(json.loads(printed)["id"]).output == "Hello, you!"
        assert host.wait_for_output("Executed 'Functions.hello'")


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
