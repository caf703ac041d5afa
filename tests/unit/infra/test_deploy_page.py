"""docs/deploy.md names commands, settings and files that exist. Nobody can run it here: it needs a subscription."""

import json
import re

import pytest

from tests.present import present
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import text

TOOLS = {"azd", "az", "git", "sh", ".venv/bin/python"}
AZD = {
    "auth login",
    "env new",
    "env set",
    "env set-secret",
    "env get-value",
    "up",
    "provision",
    "deploy",
    "down",
    "hooks run",
}
AZD_S_OWN = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
FOUND_OUT = {"BUDGET_START", "VAULT_CREATE_MODE", "DEPLOYED_APPS_VAULT_CREATE_MODE", "OPERATOR_SIGN_IN"}
"""By the hook before provisioning; nobody has to know of them."""


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
    used = {
        match for command in commands for match in re.findall(r"\bazd ((?:auth|env|hooks) [a-z-]+|[a-z]+)", command)
    }
    assert used <= AZD


def test_the_first_way_is_three_commands(page):
    first = present(re.search(r"## Three commands.*?```console\n(.*?)```", page, re.DOTALL))[1].splitlines()
    assert [command.split()[:2] for command in first] == [["azd", "auth"], ["azd", "env"], ["azd", "up"]]


def test_every_variable_that_can_be_set_is_on_the_page(root, modules, page):
    parameters = json.loads((root / "infra/bicep/main.parameters.json").read_text())["parameters"]
    section = page.split("## What can be set")[1].split("\n## ")[0]
    documented = dict(re.findall(r"`([A-Z_]+)`(?=[^|]*\| `?([^`|,]*))", section))
    secret = {name for line in section.splitlines() for name in re.findall(r"secret `(\w+)`", line)}
    for name, entry in parameters.items():
        variable = present(re.match(r"\$\{(\w+)", entry["value"]))[1]
        if variable in AZD_S_OWN | FOUND_OUT:
            continue
        assert variable in documented, f"{variable} is not on the page"
        declaration = modules["main"].named(name)
        assert (declaration.decorator("secure") is not None) == (variable in secret)
    shown = {"MAXIMUM_INSTANCES": "maximumInstanceCount", "HTTP_CONCURRENCY": "httpConcurrency"}
    shown |= {"POSTGRES_POOL_SIZE": "postgresPoolSize", "POSTGRES_STORAGE_GB": "postgresStorageGb"}
    shown |= {"MONTHLY_BUDGET": "monthlyBudget", "INSTANCE_MEMORY_MB": "instanceMemoryMB"}
    for variable, name in shown.items():
        assert documented[variable] == str(plain(modules["main"].named(name).value)), variable


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


def test_github_is_given_what_the_workflows_read(root, page):
    section = page.split("## From GitHub")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(\w+)`", section))
    for name in ("deploy", "azure"):
        workflow = (root / f".github/workflows/{name}.yml").read_text()
        assert set(re.findall(r"\b(?:vars|secrets)\.(\w+)", workflow)) <= documented


def test_the_workflow_s_identity_gets_the_roles_that_a_person_needs(page):
    section = page.split("## From GitHub")[1].split("\n## ")[0]
    commands = present(re.search(r"```console\n(.*?)```", section, re.DOTALL))[1].splitlines()
    assert commands[0].startswith("az group create --name rg-github"), "what follows needs the group"
    roles = [
        present(re.search(r'--role "?([\w ]+?)"? --', command))[1]
        for command in commands
        if "role assignment" in command
    ]
    assert roles == ["Contributor", "User Access Administrator"]
    assert all(role in page.split("## Three commands")[0] for role in roles)


def test_every_alert_is_on_the_page(modules, page):
    rules = page.split("## What raises an alert")[1].split("\n## ")[0].count("\n| ") - 1
    alerts = modules["alerts"]
    queries = len(re.findall(r"^  '[\w-]+': \{", text(alerts.root), re.MULTILINE))
    metrics = sum(d.subject.startswith("Microsoft.Insights/metricAlerts@") for d in alerts.declarations)
    assert rules == queries + metrics
