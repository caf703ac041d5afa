"""docs/deploy.md names commands, settings and files that exist. Nobody can run it here: it needs a subscription."""

import re

import pytest

from tools.bicep_check.syntax import text

TOOLS = {"azd", "az", "curl", "git", "export", ".venv/bin/python"}
AZD = {"auth login", "env new", "env set", "env set-secret", "env get-value", "provision", "deploy", "hooks run"}


@pytest.fixture(scope="session")
def page(root):
    return (root / "docs/deploy.md").read_text()


@pytest.fixture(scope="session")
def commands(page):
    return [line for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_commands_are_of_tools_that_the_page_asks_for(commands):
    assert commands
    assert {command.split()[0] for command in commands} <= TOOLS


def test_azd_knows_its_commands(commands):
    used = {match for command in commands for match in re.findall(r"\bazd ([a-z]+(?: [a-z-]+)?)", command)}
    assert used <= AZD


def test_the_environment_is_described_in_full(root, commands):
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    needed = set(re.findall(r"\$\{([A-Z_]+)\}", parameters)) - {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    described = {c.split()[3] for c in commands if re.match(r"azd env set(-secret)? ", c)}
    assert needed <= described
    secret = {c.split()[3] for c in commands if c.startswith("azd env set-secret ")}
    assert secret == {"NIVODA_PASSWORD", "BRILLIANT_API_KEY", "ADMIN_API_KEY", "RESEND_API_KEY", "HMAC_SECRETS"}


def test_values_that_it_reads_are_outputs_or_were_set(modules, commands):
    outputs = {text(d.name) for d in modules["main"].declarations if d.kind == "output"}
    read = {match for command in commands for match in re.findall(r"env get-value (\w+)", command)}
    assert read
    set_before = {command.split()[3] for command in commands if command.startswith("azd env set ")}
    assert read <= outputs | set_before


def test_files_that_it_links_to_exist(root, page):
    links = re.findall(r"\]\((?!https)([^)#]+)\)", page)
    assert links
    assert [link for link in links if not (root / "docs" / link).exists()] == []


def test_github_is_given_every_variable_that_the_workflow_reads(root, page):
    workflow = (root / ".github/workflows/deploy.yml").read_text()
    required = set(re.findall(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}", workflow))
    section = page.split("## From GitHub")[1].split("\n## ")[0]
    assert required <= set(re.findall(r"`(\w+)`", section))


def test_every_alert_is_on_the_page(modules, page):
    rules = page.split("## What raises an alert")[1].split("\n## ")[0].count("\n| ") - 1
    alerts = modules["alerts"]
    queries = len(re.findall(r"^  '[\w-]+': \{", text(alerts.root), re.MULTILINE))
    metrics = sum(d.subject.startswith("Microsoft.Insights/metricAlerts@") for d in alerts.declarations)
    assert rules == queries + metrics
