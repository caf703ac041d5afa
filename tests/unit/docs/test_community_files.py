"""What GitHub, editors and git read of this repository is valid and names things that are there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_issue_forms_are_valid():
    forms = sorted(path for path in FORMS.glob("*.yml") if path.name != "config.yml")
    assert [form.stem for form in forms] == ["bug", "feature"]
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *forms)
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-issue-config", FORMS / "config.yml")


def test_hooks_run_pinned_tools_and_fetch_nothing():
    run(BIN / "pre-commit", "validate-config", ".pre-commit-config.yaml")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    assert set(hooks) == {"ruff-format", "ruff-check", "ast-grep", "import-linter", "commit-message"}
    pinned = (ROOT / "requirements-dev.in").read_text()
    for hook in hooks.values():
        assert hook["language"] == "unsupported", "anything else makes an environment and fetches packages"
        folder, _, program = hook["entry"].split()[0].rpartition("/")
        assert folder == ".venv/bin"
        assert (BIN / program).exists()
        if program == "python":
            assert hook["entry"].split()[1:3] == ["-m", "tools.commit_message"], "a tool of our own"
            continue
        package = {"lint-imports": "import-linter", "ast-grep": "ast-grep-cli"}.get(program, program)
        assert re.search(rf"^{package}==", pinned, re.MULTILINE)


def test_the_devcontainer_forwards_ports_that_make_up_listens_on():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    container = json.loads(re.sub(r"^//.*$", "", text, flags=re.MULTILINE))
    served = re.findall(
        r"^\| \w+ \| .*? \| ([^|]*\d[^|]*) \| ", (ROOT / "docs/local-services.md").read_text(), re.MULTILINE
    )
    ports = {int(port) for cell in served for port in re.findall(r"\d+", cell)}
    assert set(container["forwardPorts"]) <= ports
    assert set(container["portsAttributes"]) == {str(port) for port in container["forwardPorts"]}
    assert 'SUPPORTED="3.13 ' in (ROOT / "tools" / "find-python").read_text()
    assert container["image"].endswith(":3.13-bookworm"), "the newest Python that is supported"
    assert container["postCreateCommand"].startswith("make setup")


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_stranger_looks_for_is_there(name):
    assert (ROOT / name).stat().st_size > 500
