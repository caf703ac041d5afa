"""What goes to Azure, and how it gets there."""

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from shared.platform.app import INDEX
from tools import checkov
from tools.dry_run.azd import resolve

BIN = Path(sys.executable).parent
WORKFLOWS = ("azure", "ci", "deploy")


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
        assert set(job["permissions"]) <= {"actions", "contents", "id-token"}
        assert job["permissions"].get("actions", "read") == "read"
        assert job["permissions"]["contents"] == "read"
        assert job["timeout-minutes"] <= 90


def test_actions_are_pinned_and_leave_no_token_behind(workflow):
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert steps
    for step in steps:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def jobs_in_azure(root):
    """The jobs that sign in to Azure, by name."""
    found = {}
    for name in ("azure", "deploy"):
        jobs = yaml.safe_load((root / f".github/workflows/{name}.yml").read_text())["jobs"]
        found |= {f"{name}.{job}": described for job, described in jobs.items() if "environment" in described}
    return found


def commands(job):
    return [step.get("run", "") for step in job["steps"]]


def test_azd_signs_in_itself_without_a_password(root):
    """The Azure CLI keeps one assertion of GitHub's, which is stale when the hook asks for the database's token."""
    jobs = jobs_in_azure(root)
    assert set(jobs) == {"deploy.deploy", "azure.preview", "azure.up-and-down"}
    for job in jobs.values():
        (login,) = [command for command in commands(job) if "azd auth login" in command]
        assert "--federated-credential-provider github" in login
        assert "secret" not in login
        assert job["permissions"]["id-token"] == "write"
        assert not [step for step in job["steps"] if step.get("uses", "").lower().startswith("azure/login@")]
        assert "useAzCliAuth" not in str(job)
        needed = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION"}
        assert set(job["env"]) == needed


def test_only_main_is_deployed_and_only_after_ci(root):
    jobs = yaml.safe_load((root / ".github/workflows/deploy.yml").read_text())["jobs"]
    assert {job["if"] for job in jobs.values()} == {"github.ref == 'refs/heads/main'"}
    assert jobs["deploy"]["needs"] == "passed"
    (look,) = commands(jobs["passed"])
    assert '--workflow ci.yml --commit "$GITHUB_SHA" --status success' in look
    assert "exit 1" in look


def test_jobs_that_not_everybody_can_run_wait_for_a_variable(root):
    jobs = yaml.safe_load((root / ".github/workflows/azure.yml").read_text())["jobs"]
    assert "vars.AZURE_PREVIEW == 'true'" in jobs["preview"]["if"]
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]
    assert "vars.AZURE_NIGHTLY == 'true'" in jobs["up-and-down"]["if"]
    last = jobs["up-and-down"]["steps"][-1]
    assert (last["if"], last["run"]) == ("always()", "azd down --force --purge --no-prompt")


def test_the_workflow_gives_what_provisioning_reads(root):
    """Variables as one object, of which azd's environment gets those that parameters read; secrets one by one."""
    for job in jobs_in_azure(root).values():
        (step,) = [step for step in job["steps"] if step.get("run") == "python infra/hooks/describe.py"]
        assert step["env"] == {"VARIABLES": "${{ toJSON(vars) }}"}
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    secret = set(re.findall(r"\$\{(\w+)=unset\}", parameters)) | {"ADMIN_API_KEY"}
    deploy = jobs_in_azure(root)["deploy.deploy"]
    (provision,) = [step for step in deploy["steps"] if "azd provision" in step.get("run", "")]
    assert {name: f"${{{{ secrets.{name} }}}}" for name in secret} == provision["env"]


def test_a_secret_with_quotes_reaches_the_parameters_whole(root, modules):
    deploy = jobs_in_azure(root)["deploy.deploy"]
    (provision,) = [step["run"] for step in deploy["steps"] if "azd provision" in step.get("run", "")]
    script = provision.replace("azd provision --no-prompt", 'printf %s "$HMAC_SECRETS"')
    secrets = json.dumps({"acme": 's"' * 16})
    environment = {**os.environ, "ADMIN_API_KEY": "k" * 32, "HMAC_SECRETS": secrets}
    done = subprocess.run(["bash", "-euc", script], env=environment, capture_output=True, text=True, check=True)
    file = (root / "infra/bicep/main.parameters.json").read_text()
    assert resolve(file, modules["main"], {"HMAC_SECRETS": done.stdout}).values["hmacSecrets"] == secrets
    without = {**environment, "ADMIN_API_KEY": ""}
    refused = subprocess.run(["bash", "-euc", script], env=without, capture_output=True, text=True, check=False)
    assert (refused.returncode != 0, "ADMIN_API_KEY" in refused.stderr) == (True, True)


def test_the_compiler_runs_before_anything_is_provisioned(root):
    steps = commands(jobs_in_azure(root)["deploy.deploy"])
    build = next(i for i, command in enumerate(steps) if "az bicep build" in command)
    provision = next(i for i, command in enumerate(steps) if "azd provision" in command)
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
              "requirements.txt", "requirements-fitting.txt", "shared", "triggers"}  # fmt: skip
    assert {path.split("/")[0] for path in shipped} == needed


def test_the_index_of_functions_is_shipped_and_not_kept(root):
    assert INDEX in (root / ".gitignore").read_text().splitlines()
    patterns = [line for line in (root / ".funcignore").read_text().splitlines() if line and not line.startswith("#")]
    assert not any(fnmatch(INDEX, pattern.strip("/")) for pattern in patterns)


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
