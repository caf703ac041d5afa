"""The hooks run on any machine that has azd and Python, and read what azd gives them."""

import ast
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from importlib import metadata

import httpx
import pytest
import yaml
from packaging.requirements import Requirement

from infra.hooks import after_provision, api_keys, import_images, prepare_database, providers
from infra.hooks.describe import described
from infra.hooks.prepare_database import addresses
from infra.hooks.prepare_environment import budget_start, found_out, operator_name, vault_modes, vault_retention
from shared.deploys.base_images import IMAGES
from shared.platform.stores.migrate import Migration
from shared.platform.stores.roles import _extensions
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import text

AZD_S_OWN = {"AZURE_SUBSCRIPTION_ID", "AZURE_LOCATION", "AZURE_ENV_NAME"}
OPTIONAL = {"PREVIEW", "MIGRATE_FROM_ADDRESS", "DATABASE_ADMIN_NAME", "AZURE_TENANT_ID"}
"""Read where they are set; without them the hooks find out for themselves."""
AFTERWARDS = ("after_provision", "import_images", "prepare_database", "azure")
SET_FOR_THE_MIGRATIONS = {"POSTGRES_DSN", "POSTGRES_AUTH"}


@pytest.fixture(scope="session")
def hooks(root):
    """The hooks' modules by name, as syntax trees."""
    return {path.stem: ast.parse(path.read_text()) for path in sorted((root / "infra/hooks").glob("*.py"))}


def variables(tree):
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {one for one in texts if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", one)}


def test_the_hook_after_provisioning_reads_only_what_the_templates_put_out(modules, hooks):
    outputs = {text(d.name) for d in modules["main"].declarations if d.kind == "output"}
    read = set[str]().union(*(variables(hooks[name]) for name in AFTERWARDS))
    assert "POSTGRES_HOST" in read
    assert "DATABASE_ADMIN_NAME" in outputs, "azd keeps what it asks for where no hook sees it"
    assert read - outputs - OPTIONAL - SET_FOR_THE_MIGRATIONS == set()


def test_the_hook_before_provisioning_reads_what_azd_knows_and_parameters_that_may_be_set(root, hooks):
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    read = variables(hooks["prepare_environment"])
    assert read >= AZD_S_OWN
    assert read - AZD_S_OWN - OPTIONAL - set(re.findall(r"\$\{(\w+)", parameters)) == set()


def test_what_the_hook_finds_out_are_parameters_with_a_default(root, modules):
    """azd looks at the parameters before the hook has run, and would ask for one without."""
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    named = dict(re.findall(r'"(\w+)": \{\s+"value": "\$\{(\w+)', parameters))
    found = {"BUDGET_START", "POSTGRES_STORAGE_GB", "VAULT_CREATE_MODE", "DEPLOYED_APPS_VAULT_CREATE_MODE"}
    found |= {"DATABASE_ADMIN_NAME", "OPERATOR_SIGN_IN", "VAULT_RETENTION_DAYS"}
    ours = [name for name, variable in named.items() if variable in found]
    assert len(ours) == len(found)
    assert all(modules["main"].named(name).value is not None for name in ours)


def imported(root, module, seen):
    """Every package that a module and those of ours that it imports name, at whatever depth."""
    path = root / f"{module.replace('.', '/')}.py"
    path = path if path.exists() else root / module.replace(".", "/") / "__init__.py"
    if module in seen or not path.exists():
        return set()
    seen.add(module)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            ours = name.split(".")[0] in {"infra", "shared"}
            found |= (
                imported(root, name, seen)
                if ours
                else {"azure.identity" if name.startswith("azure.identity") else name.split(".")[0]}
            )
    return found - set(sys.stdlib_module_names)


# Imported inside functions that no hook calls.
NOT_FOR_HOOKS = {"opentelemetry"}
# What `index_functions` loads the app with; tests/unit/test_app.py holds that it loads nothing else.
FOR_THE_APP = {"azure-functions", "azure-functions-durable"}


def test_what_the_hooks_import_is_what_they_require(root):
    lines = (root / "infra/hooks/requirements.txt").read_text().splitlines()
    required = {Requirement(line).name for line in lines if line and not line.startswith(("#", "-c"))}
    seen: set[str] = set()
    wanted = set()
    for hook in ("prepare_environment", "after_provision", "api_keys"):
        wanted |= imported(root, f"infra.hooks.{hook}", seen)
    assert "shared.platform.stores.migrate" in seen
    wanted |= imported(root, "shared.platform.access.api_keys.__main__", seen)
    known = dict(metadata.packages_distributions()) | {"azure.identity": ["azure-identity"]}
    needed = {known[name][0].lower() for name in wanted - NOT_FOR_HOOKS}
    needed = {{"psycopg-pool": "psycopg", "pydantic-core": "pydantic"}.get(name, name) for name in needed}
    assert needed | FOR_THE_APP == required


def test_the_hooks_packages_have_the_versions_of_the_app_s(root):
    lines = (root / "infra/hooks/requirements.txt").read_text().splitlines()
    assert "-c ../../requirements.txt" in lines
    pinned = {line.split("==")[0] for line in (root / "requirements.txt").read_text().splitlines() if "==" in line}
    names = {Requirement(line).name for line in lines if line and not line.startswith(("#", "-c"))}
    assert {name.split("[")[0] for name in names} <= {name.split("[")[0] for name in pinned}


def test_the_hooks_need_no_make_and_run_on_windows_too(root):
    azure = yaml.safe_load((root / "azure.yaml").read_text())
    assert set(azure["hooks"]) == {"preprovision", "postprovision"}
    of_app = azure["services"]["app"]["hooks"]
    assert set(of_app) == {"prepackage"}
    for hook, module in (
        (azure["hooks"]["preprovision"], "prepare_environment"),
        (azure["hooks"]["postprovision"], "after_provision"),
        (of_app["prepackage"], "index_functions"),
    ):
        assert hook["posix"]["run"] == f"sh infra/hooks/run.sh infra.hooks.{module}"
        assert hook["windows"]["run"] == f"./infra/hooks/run.ps1 infra.hooks.{module}"
        assert (hook["posix"]["shell"], hook["windows"]["shell"]) == ("sh", "pwsh")


def run(root, folder, **environment):
    """run.sh in a copy of what it reads, with a PATH that has no Python."""
    hooks = folder / "infra/hooks"
    hooks.mkdir(parents=True)
    for name in ("requirements.txt", "run.sh"):
        (hooks / name).write_text((root / "infra/hooks" / name).read_text())
    (folder / "requirements.txt").write_text((root / "requirements.txt").read_text())
    (hooks / "say.py").write_text("import sys\nprint('said by', sys.executable)\n")
    return hooks, lambda: subprocess.run(
        ["sh", str(hooks / "run.sh"), "infra.hooks.say"], capture_output=True, text=True, check=False, env=environment
    )


def test_without_a_python_the_script_says_which_is_needed(root, tmp_path):
    _, start = run(root, tmp_path, PATH="/usr/bin:/bin", MANIFOLD_PYTHON="no-such-python")
    done = start()
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in done.stderr


def test_what_is_installed_is_used_until_the_requirements_change(root, tmp_path):
    hooks, start = run(root, tmp_path, PATH="/usr/bin:/bin", MANIFOLD_PYTHON="no-such-python")
    (hooks / ".venv/bin").mkdir(parents=True)
    (hooks / ".venv/bin/python").symlink_to(sys.executable)
    mark = (hooks / "requirements.txt").read_text() + (tmp_path / "requirements.txt").read_text()
    (hooks / ".venv/installed").write_text(mark)
    assert start().stdout.startswith("said by ")
    (tmp_path / "requirements.txt").write_text("httpx==0.1\n")
    assert start().returncode == 1


def answering(status, body=None):
    return httpx.Client(
        base_url="https://arm.test", transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    )


def test_a_budget_is_made_only_where_azure_keeps_budgets(capsys):
    today = date(2026, 11, 30)
    assert budget_start(answering(404), "s", "prod", today) == "2026-11-01"
    told = {"properties": {"timePeriod": {"startDate": "2026-03-01T00:00:00Z"}}}
    assert budget_start(answering(200, told), "s", "prod", today) == "2026-03-01"
    for refusal in (400, 401, 403, 422):
        assert budget_start(answering(refusal), "s", "prod", today) == ""
        assert f"shows no budgets of this subscription ({refusal})" in capsys.readouterr().err
    with pytest.raises(httpx.HTTPStatusError):
        budget_start(answering(503), "s", "prod", today)


def test_only_vaults_of_this_environment_are_had_back():
    ids = ["/subscriptions/s/resourceGroups/RG-Prod-apps/providers/Microsoft.KeyVault/vaults/kva-1",
           "/subscriptions/s/resourceGroups/rg-production/providers/Microsoft.KeyVault/vaults/kv-2"]  # fmt: skip
    deleted = {"value": [{"properties": {"vaultId": one, "location": "North Europe"}} for one in ids]}
    modes = vault_modes(answering(200, deleted), "s", "prod", "northeurope")
    assert modes == {"VAULT_CREATE_MODE": "default", "DEPLOYED_APPS_VAULT_CREATE_MODE": "recover"}
    elsewhere = vault_modes(answering(200, deleted), "s", "prod", "westeurope")
    assert set(elsewhere.values()) == {"default"}, "in another region the vaults have other names"


def test_the_retention_of_vaults_stays_what_it_was_made_as(capsys):
    known = {"value": [{"properties": {"softDeleteRetentionInDays": 7}}]}
    assert vault_retention(answering(200, known), "s", "prod", 90) == 7
    assert "7 days, not 90" in capsys.readouterr().err
    assert vault_retention(answering(404), "s", "prod", 90) == 90


class Providers:
    """Azure, of whose resource providers some are registered; `slow` looks show one as being registered."""

    def __init__(self, *registered, slow=0, refused=False):
        self.registered = set(registered)
        self.slow = slow
        self.refused = refused
        self.asked = []

    def answer(self, request):
        provider = request.url.path.removesuffix("/register").rpartition("/")[2]
        if request.method == "POST":
            self.asked.append(provider)
            return httpx.Response(403 if self.refused else 200, json={})
        if provider in self.asked:
            self.slow -= 1
            if self.slow < 0:
                self.registered.add(provider)
        return httpx.Response(200, json={"registrationState": "Registered" if provider in self.registered else "No"})

    def register(self):
        slept = []
        with httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(self.answer)) as client:
            providers.register(client, "s", slept.append)
        return slept


def test_a_subscription_that_was_never_used_learns_the_providers_first(capsys):
    azure = Providers("Microsoft.Web", slow=2)
    assert azure.register() == [providers.POLL_SECONDS] * 2
    assert azure.asked == ["Microsoft.DBforPostgreSQL", "Microsoft.KeyVault"]
    assert "registering Microsoft.KeyVault" in capsys.readouterr().err
    assert azure.register() == []


@pytest.mark.parametrize(
    ("azure", "words"), [(Providers(refused=True), "answered 403"), (Providers(slow=1_000), "after five minutes")]
)
def test_who_may_not_register_is_told_who_can(azure, words):
    with pytest.raises(SystemExit, match=rf"{words}.*az provider register --namespace Microsoft.DBforPostgreSQL"):
        azure.register()


def test_the_schema_comes_first_and_docker_hub_ends_nothing(monkeypatch, capsys):
    done = []

    def migrate():
        done.append("schema")
        monkeypatch.delenv("CONTAINER_REGISTRY_ID")

    def refuse():
        done.append(os.environ["CONTAINER_REGISTRY_ID"])
        raise SystemExit("import_images: Docker Hub refused.")

    monkeypatch.setenv("CONTAINER_REGISTRY_ID", "registry")
    monkeypatch.setattr(prepare_database, "main", migrate)
    monkeypatch.setattr(import_images, "main", refuse)
    after_provision.main()
    assert done == ["schema", "registry"]
    assert "Docker Hub refused" in capsys.readouterr().err


def test_long_lists_are_read_to_their_end():
    def arm(request):
        first = {"value": [], "nextLink": "https://arm.test/next?page=2"}
        vault = {"vaultId": "/subscriptions/s/resourceGroups/rg-prod/providers/x", "location": "northeurope"}
        last = {"value": [{"properties": vault}]}
        return httpx.Response(200, json=last if request.url.path == "/next" else first)

    with httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(arm)) as client:
        assert vault_modes(client, "s", "prod", "northeurope")["VAULT_CREATE_MODE"] == "recover"


def test_the_operator_is_the_one_who_provisions_unless_another_is_named():
    me = answering(200, {"userPrincipalName": "me_example.com#EXT#@tenant.onmicrosoft.com"})
    assert operator_name({}, me) == "me_example.com#EXT#@tenant.onmicrosoft.com"
    assert operator_name({"DATABASE_ADMIN_NAME": "operators", "DATABASE_ADMIN_ID": "1"}, answering(500)) == "operators"
    with pytest.raises(SystemExit, match="DATABASE_ADMIN_ID is set, and DATABASE_ADMIN_NAME is not"):
        operator_name({"DATABASE_ADMIN_ID": "1"}, me)
    with pytest.raises(SystemExit, match="who provisions is no person"):
        operator_name({}, answering(403))


def test_what_azd_has_not_asked_for_yet_is_named():
    with pytest.raises(SystemExit, match="AZURE_LOCATION not set"):
        found_out(answering(500), {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_ENV_NAME": "prod"}, date(2026, 11, 30))


def test_one_address_or_a_range_is_let_in():
    assert addresses({"MIGRATE_FROM_ADDRESS": "192.0.2.7"}) == ("192.0.2.7", "192.0.2.7")
    assert addresses({"MIGRATE_FROM_ADDRESS": "192.0.2.0-192.0.2.255"}) == ("192.0.2.0", "192.0.2.255")
    with pytest.raises(SystemExit, match="an IPv4 address, or a range"):
        addresses({"MIGRATE_FROM_ADDRESS": "here"})


def test_a_workflow_sets_what_a_parameter_reads_and_nothing_else(root):
    parameters = (root / "infra/bicep/main.parameters.json").read_text()
    variables = {"ALERT_EMAIL_TO": "a b@example.com", "PRIVATE_NETWORK": "", "AZURE_CLIENT_ID": "1", "OTHER": "2"}
    assert described(parameters, variables) == {"ALERT_EMAIL_TO": "a b@example.com"}


def test_a_preview_leaves_everything_alone(monkeypatch, capsys):
    monkeypatch.setenv("PREVIEW", "true")
    after_provision.main()
    assert "Nothing is prepared" in capsys.readouterr().err


class Registry:
    """Takes images as Azure does, after a while; `troubles` is how often Docker Hub refuses first."""

    def __init__(self, troubles=0):
        self.troubles = troubles
        self.taken = []
        self.client = httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(self.answer))

    def answer(self, request):
        if request.method == "GET":
            if self.troubles:
                self.troubles -= 1
                return httpx.Response(400, text="toomanyrequests")
            return httpx.Response(200)
        body = json.loads(request.content)
        assert (body["source"]["registryUri"], body["mode"]) == ("docker.io", "Force")
        self.taken.append((request.url.path, body["source"]["sourceImage"], *body["targetTags"]))
        return httpx.Response(202, headers={"Location": "https://arm.test/operations/1"})


def test_the_images_that_apps_are_built_on_are_copied(modules):
    registry = Registry(troubles=1)
    waited = []
    import_images.import_images(registry.client, "/registries/cr", waited.append)
    images = [image for versions in IMAGES.values() for image in versions.values()]
    assert {"node:22-slim", "python:3.12-slim"} < set(images)
    assert [one[1:] for one in registry.taken] == [
        (f"library/{image}", f"base/{image}") for image in [images[0], *images]
    ]
    assert import_images.WAIT_SECONDS in waited
    settings = plain(modules["main"].named("app").value)["params"]["settings"]
    assert settings["BASE_IMAGE_REGISTRY"] == "${registry.outputs.loginServer}/base"


def test_an_image_that_docker_hub_keeps_refusing_is_told():
    with pytest.raises(SystemExit, match=r"node:22-slim could not be copied .*toomanyrequests.* again in an hour"):
        import_images.import_images(Registry(troubles=99).client, "/registries/cr", lambda _: None)


def test_grants_are_made_at_the_server_that_azd_s_environment_names(monkeypatch, capsys):
    answer = json.dumps({"POSTGRES_HOST": "server", "HMAC_SECRETS": "akvs://s/v/hmac"})
    ran = subprocess.CompletedProcess([], 0, answer)
    monkeypatch.setattr(api_keys.subprocess, "run", lambda *_, **__: ran)
    seen = {}

    @contextmanager
    def opened(environment):
        seen.update(environment)
        target = prepare_database.Target("/s", "server", "manifold", "me", "app", "1")
        yield target, "token"

    monkeypatch.setattr(api_keys, "opened", opened)
    monkeypatch.setattr(sys, "argv", ["api_keys", "create", "--client", "anonymous", "--permission", "diamonds:read"])
    monkeypatch.setenv("POSTGRES_DSN", "")
    monkeypatch.setenv("POSTGRES_AUTH", "")
    monkeypatch.setenv("HMAC_SECRETS", "akvs://s/v/hmac")
    with pytest.raises(SystemExit) as ended:
        api_keys.main()
    assert (ended.value.code, "anonymous" in capsys.readouterr().err) == (2, True)
    assert seen["POSTGRES_HOST"] == "server"
    assert "host=server" in os.environ["POSTGRES_DSN"]
    assert "HMAC_SECRETS" not in os.environ


def test_extensions_are_those_that_migrations_ask_for():
    migrations = [Migration("1", 'create extension if not exists "vector"; select 1;', None),
                  Migration("2", "CREATE EXTENSION IF NOT EXISTS pg_trgm", None)]  # fmt: skip
    assert _extensions(migrations) == ["pg_trgm", "vector"]
