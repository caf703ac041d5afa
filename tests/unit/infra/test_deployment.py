"""What goes to Azure, and how it gets there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools import checkov

BIN = Path(sys.executable).parent
WORKFLOWS = ("ci", "deploy")


@pytest.fixture(scope="session", params=WORKFLOWS)
def workflow(request, root):
    return yaml.safe_load((root / f".github/workflows/{request.param}.yml").read_text())


def test_workflows_are_valid_and_zizmor_finds_nothing(root):
    files = sorted((root / ".github/workflows").glob("*.yml"))
    assert {file.stem for file in files} == set(WORKFLOWS)
    schema = [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files]
    for command in (schema, [BIN / "zizmor", "--offline", "--quiet", root / ".github"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_jobs_start_without_rights_and_name_those_they_need(workflow):
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "id-token"}
        assert job["permissions"]["contents"] == "read"
        assert job["timeout-minutes"] <= 90


def test_actions_are_pinned_and_leave_no_token_behind(workflow):
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert steps
    for step in steps:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_azure_is_signed_in_to_without_a_password(root):
    deploy = yaml.safe_load((root / ".github/workflows/deploy.yml").read_text())
    (login,) = [s for s in deploy["jobs"]["deploy"]["steps"] if s.get("uses", "").startswith("azure/login@")]
    assert set(login["with"]) == {"client-id", "tenant-id", "subscription-id"}
    assert "id-token" in deploy["jobs"]["deploy"]["permissions"]


def test_the_workflow_gives_every_variable_that_provisioning_reads(root):
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    read = set(re.findall(r"\$\{(\w+)", parameters))
    deploy = yaml.safe_load((root / ".github/workflows/deploy.yml").read_text())["jobs"]["deploy"]
    given = set(deploy["env"]).union(*(step.get("env", {}) for step in deploy["steps"]))
    assert read - given == set()


def test_the_compiler_runs_before_anything_is_provisioned(root):
    steps = yaml.safe_load((root / ".github/workflows/deploy.yml").read_text())["jobs"]["deploy"]["steps"]
    commands = [step.get("run", "") for step in steps]
    build = next(i for i, command in enumerate(commands) if "az bicep build" in command)
    provision = next(i for i, command in enumerate(commands) if "azd provision" in command)
    assert build < provision


def tracked(root, *options):
    command = ["git", "ls-files", "--cached", *options]
    return set(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines())


@pytest.fixture(scope="session")
def shipped(root):
    """The files under version control that .funcignore, which has the rules of .gitignore, lets through."""
    return tracked(root) - tracked(root, "--ignored", "--exclude-from=.funcignore")


def test_the_app_and_its_pages_are_shipped_and_nothing_else(shipped):
    needed = {"activities", "console", "function_app.py", "host.json", "migrations", "orchestrators",
              "requirements.txt", "shared", "triggers"}  # fmt: skip
    assert {path.split("/")[0] for path in shipped} == needed


def test_what_the_app_reads_at_run_time_is_shipped(root, shipped):
    assert tracked(root, "activities", "orchestrators", "shared", "triggers", "console", "migrations") <= shipped


REPORT = {
    "summary": {"resource_count": 3, "passed": 1, "skipped": 0},
    "results": {"parsing_errors": [], "failed_checks": [], "skipped_checks": []},
}
FAILED = {"file_path": "/storage.bicep", "file_line_range": [7, 9], "check_id": "CKV_1", "check_name": "Ensure it"}


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (REPORT, []),
        (REPORT | {"results": REPORT["results"] | {"failed_checks": [FAILED]}},
         ["infra/bicep/storage.bicep:7: CKV_1 Ensure it"]),
        (REPORT | {"results": REPORT["results"] | {"parsing_errors": ["/a.bicep"]}},
         ["/a.bicep: checkov cannot parse it."]),
        (REPORT | {"summary": {"resource_count": 0}}, ["checkov found no resources: nothing was checked."]),
        ({"resource_count": 0, "passed": 0}, ["checkov found no resources: nothing was checked."]),
    ],
)  # fmt: skip
def test_checkov_is_believed_only_when_it_read_everything(report, told):
    assert checkov.complaints(report, set()) == told


def test_a_skip_that_skips_nothing_is_told(tmp_path):
    (tmp_path / "storage.bicep").write_text("// checkov:skip=CKV_1: because\n// checkov:skip=CKV_2: because\n")
    skipped = REPORT["results"] | {"skipped_checks": [FAILED]}
    told = checkov.complaints(REPORT | {"results": skipped}, checkov.skips(tmp_path))
    assert told == ["infra/bicep/storage.bicep: nothing is left to skip for CKV_2."]


def test_no_check_of_checkov_is_skipped_without_a_reason(modules, root):
    for name in modules:
        for line in (root / f"infra/bicep/{name}.bicep").read_text().splitlines():
            if "checkov:skip" in line:
                assert re.fullmatch(r"\s+// checkov:skip=CKV\d?_AZURE_\d+: .{8,}", line), line
