"""docs/add-a-workload.md: the workload that it builds, made of its blocks, runs beside the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.host.testing import HostProcess

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "add-a-workload.md").read_text()
FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
COMMANDS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
LAYERS = ("shared", "activities", "orchestrators", "triggers")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as a newcomer has it who followed the page."""
    folder = tmp_path_factory.mktemp("project")
    kept = ("lint", "migrations", "console", "host.json", "pyproject.toml", "sgconfig.yml", "local", "docs")
    for name in (*LAYERS, *kept):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for layer in LAYERS:
        (folder / layer / "words").mkdir()
        (folder / layer / "words" / "__init__.py").touch()
    shutil.copytree(ROOT / "tests/unit/orchestrators", folder / "tests/unit/orchestrators")
    for helper in ("failed_attempts.py", "present.py"):
        shutil.copy(ROOT / "tests" / helper, folder / "tests" / helper)
    shutil.copy(ROOT / "tests/unit/test_workloads.py", folder / "tests/unit/test_workloads.py")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def typed(*command: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_page_differs_from_the_app_by_its_own_lines_alone() -> None:
    shown = FILES["function_app.py"].splitlines()
    app = (ROOT / "function_app.py").read_text().splitlines()
    assert [line for line in shown if line != '    "triggers.words",'] == app


@pytest.mark.parametrize("packed", [False, True])
def test_the_workload_runs_and_its_commands_do_what_they_say(project: Path, tmp_path: Path, *, packed: bool) -> None:
    if packed:  # as azd does before it makes the package
        shutil.copytree(ROOT / "infra" / "hooks", project / "infra" / "hooks", ignore=shutil.ignore_patterns(".venv"))
        typed(sys.executable, "-m", "infra.hooks.index_functions", folder=project)
    environment = {"POSTGRES_DSN": "host=unused", "ADMIN_API_KEY": "some-key", "TASKHUB_NAME": "words"}
    with HostProcess(project, tmp_path / "host", environment=environment) as host:
        [script] = COMMANDS
        shown = typed(
            "bash", "-euo", "pipefail", "-c", script,
            folder=tmp_path, APP=f"http://127.0.0.1:{host.port}", KEY="some-key",
        )  # fmt: skip
        run = json.loads(shown)
        assert (run["status"], run["output"]) == ("Completed", {"words": 6})
        assert run["progress"] == {"phase": "counting", "done": 3, "total": 3, "unit": "texts", "percent": 100}
        api = host.request("GET", "/openapi.json").json()
        assert "words" in {tag["name"] for tag in api["tags"]}
        refused = host.request("POST", "/words/count", {"texts": []}, headers={"X-Admin-Key": "some-key"})
        assert (refused.status, refused.json()["errors"][0]["pointer"]) == (400, "#/texts")


def test_its_tests_pass(project: Path) -> None:
    tests = [name for name in FILES if name.startswith("tests/")]
    assert len(tests) == 2
    typed(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, folder=project)


def test_it_keeps_the_rules_of_the_house(project: Path) -> None:
    own = [str(Path(layer, "words")) for layer in LAYERS]
    typed("ruff", "check", *own, folder=project)
    typed("ruff", "format", "--check", *own, folder=project)
    typed("ast-grep", "scan", "--error", *own, folder=project)
    typed("lint-imports", folder=project)


def test_it_may_not_use_another_workload(project: Path) -> None:
    rule = "tests/unit/test_workloads.py::test_a_workload_imports_nothing_of_another"
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", rule)
    typed(*command, folder=project)
    trespass = project / "shared" / "words" / "trespass.py"
    trespass.write_text("def later() -> None:\n    from shared.diamonds.runs import verdict\n")
    try:
        with pytest.raises(AssertionError, match=r"shared/words/trespass.py: shared\.diamonds\.runs\.verdict"):
            typed(*command, folder=project)
    finally:
        trespass.unlink()
