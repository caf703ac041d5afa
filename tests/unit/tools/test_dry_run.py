"""What `azd up`, a second provisioning, `azd down` and coming back ask of Azure, and that it refuses none of it."""

import sys
from datetime import date

import httpx
import pytest

from infra.hooks.prepare_environment import found_out
from local.arm.provisioning.requests import client
from local.arm.provisioning.subscription import Subscription
from tools.dry_run import __main__ as command
from tools.dry_run.azd import resolve
from tools.dry_run.deployment import provision

DESCRIBED = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "northeurope",
    "AZURE_PRINCIPAL_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_PRINCIPAL_TYPE": "User",
    "DATABASE_ADMIN_NAME": "me@example.com",
    "ALERT_EMAIL_TO": "operators@example.com",
}
"""All that a person is asked for, and what azd knows itself or a hook finds out."""
WORKFLOW = {"AZURE_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222", "AZURE_PRINCIPAL_TYPE": "ServicePrincipal"}


class Azd:
    """azd with its hook before provisioning, in front of a subscription."""

    def __init__(self, root, main):
        self.azure = Subscription(today=date(2026, 11, 30))
        self.folder = root / "infra/bicep"
        self.main = main

    def provision(self, **more):
        environment = DESCRIBED | {"AZURE_SUBSCRIPTION_ID": self.azure.id} | more
        with client(self.azure) as arm:
            environment |= found_out(arm, environment, self.azure.today)
            resolved = resolve((self.folder / "main.parameters.json").read_text(), self.main, environment)
            assert resolved.asked == []
            values = resolved.values | dict.fromkeys(resolved.generated, "k" * 40)
            return provision(self.folder, values, arm, self.azure.id, {"utcNow": self._now})

    def down(self):
        """As `azd down --force`: the groups go with all that is in them, the vaults stay deleted, the budget stays."""
        with client(self.azure) as arm:
            for group in ("rg-prod", "rg-prod-apps"):
                path = f"/subscriptions/{self.azure.id}/resourceGroups/{group}"
                arm.delete(path, params={"api-version": "2025-04-01"}).raise_for_status()

    def the(self, kind):
        (found,) = self.azure.of_type(kind)
        return found

    def _now(self, form=""):
        return self.azure.today.strftime("%Y-%m-01") if form else f"{self.azure.today}T00:00:00+00:00"


@pytest.fixture
def azd(root, modules):
    return Azd(root, modules["main"])


def test_a_first_provisioning_asks_for_nothing_that_azure_refuses(azd):
    outputs = azd.provision()
    assert outputs["SERVICE_APP_URL"].startswith("https://func-")
    assert len(azd.azure.resources) > 70


def test_a_second_provisioning_changes_nothing(azd):
    first = azd.provision()
    before = dict(azd.azure.resources)
    assert azd.provision() == first
    assert set(azd.azure.resources) == set(before)


def test_the_budget_outlives_the_month_it_was_made_in(azd):
    azd.provision()
    azd.azure.today = date(2027, 2, 3)
    azd.provision()
    assert azd.the("Microsoft.Consumption/budgets")["properties"]["timePeriod"]["startDate"] == "2026-11-01"


def test_without_an_amount_there_is_no_budget(azd):
    azd.provision(MONTHLY_BUDGET="0")
    assert azd.azure.of_type("Microsoft.Consumption/budgets") == []


def test_a_disk_that_has_grown_is_provisioned_again(azd):
    azd.provision()
    azd.the("Microsoft.DBforPostgreSQL/flexibleServers")["properties"]["storage"]["storageSizeGB"] = 64
    azd.provision()
    assert azd.the("Microsoft.DBforPostgreSQL/flexibleServers")["properties"]["storage"]["storageSizeGB"] == 64


@pytest.mark.parametrize("production", [{}, {"PURGE_PROTECTION": "true", "VAULT_RETENTION_DAYS": "90"}])
def test_what_was_taken_down_comes_back_under_its_name(azd, production):
    azd.provision(**production)
    azd.azure.today = date(2027, 1, 9)
    azd.down()
    assert len(azd.azure.deleted_vaults) == 2
    assert azd.azure.of_type("Microsoft.Web/sites") == []
    azd.provision(**production)
    assert azd.azure.deleted_vaults == {}
    azd.provision(**production)


def test_who_is_asked_to_provision_next_need_not_be_the_one_before(azd):
    azd.provision()
    azd.provision(**WORKFLOW, DATABASE_ADMIN_NAME="id-github")
    names = {one["properties"]["principalName"] for one in azd.azure.of_type(ADMINISTRATORS)}
    assert names == {"me@example.com", "id-github"}


ADMINISTRATORS = "Microsoft.DBforPostgreSQL/flexibleServers/administrators"


def test_a_region_without_a_database_is_told_before_anything_is_made(azd):
    azd.azure.restricted = {"northeurope"}
    with pytest.raises(SystemExit, match=r"no PostgreSQL in northeurope: .*azd env set DATABASE_LOCATION"):
        azd.provision()
    assert azd.azure.resources == {}
    azd.provision(DATABASE_LOCATION="swedencentral")
    assert azd.the("Microsoft.DBforPostgreSQL/flexibleServers")["location"] == "swedencentral"
    assert azd.the("Microsoft.Web/sites")["location"] == "northeurope"


def test_a_database_that_is_there_stays_in_a_region_that_takes_no_new_one(azd):
    azd.provision()
    azd.azure.restricted = {"northeurope"}
    azd.provision()
    assert azd.the("Microsoft.DBforPostgreSQL/flexibleServers")["location"] == "northeurope"


def test_the_app_takes_as_many_requests_at_once_as_its_memory_holds(azd):
    azd.provision()
    scale = azd.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == 8
    azd.provision(HTTP_CONCURRENCY="4")
    scale = azd.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == 4


def test_vaults_that_were_deleted_in_another_region_are_not_asked_back(azd):
    azd.provision()
    azd.down()
    azd.provision(AZURE_LOCATION="swedencentral")
    assert azd.the("Microsoft.Web/sites")["location"] == "swedencentral"


@pytest.mark.parametrize("size", [{"POSTGRES_SKU_NAME": "Standard_D4ds_v5"}, {"POSTGRES_SKU_TIER": "GeneralPurpose"}])
def test_a_size_that_the_region_does_not_offer_is_told(azd, size):
    with pytest.raises(SystemExit, match="northeurope offers no Standard_"):
        azd.provision(**size)


@pytest.mark.parametrize(
    ("options", "kind", "count"),
    [
        ({}, "Microsoft.Network/privateEndpoints", 0),
        ({"PRIVATE_NETWORK": "true"}, "Microsoft.Network/privateEndpoints", 8),
        ({"DURABLE_BACKEND": "scheduler"}, "Microsoft.DurableTask/schedulers/taskHubs", 1),
    ],
)
def test_each_option_can_be_provisioned(azd, options, kind, count):
    azd.provision(**options)
    azd.provision(**options)
    assert len(azd.azure.of_type(kind)) == count


def app_settings(azd):
    config = azd.the("Microsoft.Web/sites")["properties"]["siteConfig"]
    return {one["name"]: one["value"] for one in config["appSettings"]}


def test_the_scheduler_takes_the_place_of_the_host_account(azd):
    azd.provision()
    assert not [name for name in app_settings(azd) if "durableTask" in name]
    azd.provision(DURABLE_BACKEND="scheduler")
    settings = app_settings(azd)
    provider = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__"
    assert settings[f"{provider}type"] == "azureManaged"
    connection = settings[settings[f"{provider}connectionStringName"]]
    assert connection.endswith(f"Authentication=ManagedIdentity;ClientID={settings['AZURE_CLIENT_ID']}")


def test_rolling_updates_are_asked_for_only_when_wanted(azd):
    azd.provision()
    assert "siteUpdateStrategy" not in azd.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]
    azd.provision(ROLLING_UPDATES="true")
    config = azd.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]
    assert config["siteUpdateStrategy"] == {"type": "RollingUpdate"}
    assert config["runtime"] == {"name": "python", "version": "3.11"}


def test_without_a_supplier_no_feed_is_read_and_none_is_missed(azd):
    azd.provision()
    assert app_settings(azd)["FEEDS"] == "none"
    alert = next(one for one in azd.azure.of_type("Microsoft.Insights/scheduledQueryRules") if "watermark" in one["id"])
    assert alert["properties"]["criteria"]["allOf"][0]["threshold"] == 0
    azd.provision(NIVODA_ENDPOINT="https://supplier.example.com/graphql", NIVODA_PASSWORD="secret")
    assert app_settings(azd)["FEEDS"] == "nivoda"


# The stand-in refuses what Azure refuses: otherwise the tests above would prove nothing.


def refused(azd, path, change):
    """Put what is there again with one change; the code of the refusal."""
    known = azd.azure.find(path)
    body = {key: value for key, value in known.items() if key not in {"id", "name", "type"}}
    change(body)
    with client(azd.azure) as arm:
        answer = arm.put(path, params={"api-version": "2025-01-01"}, json=body)
    assert answer.status_code >= 400, "Azure would refuse this"
    return answer.json()["error"]["code"]


@pytest.fixture
def provisioned(azd):
    azd.provision()
    return azd


@pytest.mark.parametrize("key", ["ftpsState", "alwaysOn", "linuxFxVersion", "use32BitWorkerProcess"])
def test_flex_consumption_refuses_other_keys_of_the_site_s_configuration(provisioned, key):
    def change(body):
        body["properties"]["siteConfig"][key] = "Disabled"

    assert refused(provisioned, provisioned.the("Microsoft.Web/sites")["id"], change) == "51021"


def test_the_start_of_a_budget_and_a_smaller_disk_are_refused(provisioned):
    def earlier(body):
        body["properties"] = {**body["properties"], "timePeriod": {"startDate": "2026-12-01"}}

    def smaller(body):
        body["properties"] = {**body["properties"], "storage": {"storageSizeGB": 16}}

    assert refused(provisioned, provisioned.the("Microsoft.Consumption/budgets")["id"], earlier) == "400"
    server = provisioned.the("Microsoft.DBforPostgreSQL/flexibleServers")["id"]
    assert refused(provisioned, server, smaller) == "StorageSizeReductionNotAllowed"


def test_a_resource_does_not_change_its_region(provisioned):
    def change(body):
        body["location"] = "westus2"

    server = provisioned.the("Microsoft.DBforPostgreSQL/flexibleServers")["id"]
    assert refused(provisioned, server, change) == "InvalidResourceLocation"


def test_the_name_of_a_deleted_vault_is_taken_and_its_protection_stays(azd):
    azd.provision(PURGE_PROTECTION="true", VAULT_RETENTION_DAYS="90")
    name = next(one["name"] for one in azd.azure.of_type("Microsoft.KeyVault/vaults") if one["name"].startswith("kv-"))
    azd.down()
    values = resolve((azd.folder / "main.parameters.json").read_text(), azd.main, DESCRIBED).values
    with client(azd.azure) as arm, pytest.raises(httpx.HTTPStatusError) as refusal:
        provision(azd.folder, values | {"adminApiKey": "k" * 40}, arm, azd.azure.id)
    assert refusal.value.response.json()["error"]["code"] == "ConflictError"
    path = (
        f"/subscriptions/{azd.azure.id}/providers/Microsoft.KeyVault/locations/northeurope/deletedVaults/{name}/purge"
    )
    with client(azd.azure) as arm:
        assert arm.post(path, params={"api-version": "2024-11-01"}).status_code == 409


def test_organizations_that_trust_nobody_get_environments_of_their_own(azd):
    environments = "Microsoft.App/managedEnvironments"
    azd.provision()
    assert (len(azd.azure.of_type(environments)), app_settings(azd)["ISOLATED_ENVIRONMENTS"]) == (1, "")
    azd.provision(ISOLATED_ORGANIZATIONS="acme,Globex_2")
    known = {one["name"] for one in azd.azure.of_type(environments)}
    pairs = dict(pair.split("=") for pair in app_settings(azd)["ISOLATED_ENVIRONMENTS"].split(","))
    assert set(pairs) == {"acme", "Globex_2"}
    assert (len(known), len(set(pairs.values())), set(pairs.values()) <= known) == (3, 2, True)


def test_what_the_platform_says_of_operators_is_believed_only_once_the_sign_in_is_switched_on(azd, capsys):
    """Before, and where switching it on fails, anybody could send those headers."""
    config = "Microsoft.Web/sites/config"
    azd.provision()
    assert (azd.azure.of_type(config), app_settings(azd).get("OPERATOR_SIGN_IN")) == ([], None)
    chosen = {"SIGN_IN_CLIENT_ID": "5f0c8f0e-0000-0000-0000-000000000000"}
    azd.provision(**chosen)
    assert app_settings(azd)["OPERATOR_SIGN_IN"] == "none"
    assert "`azd provision` once more" in capsys.readouterr().err
    settings = azd.the(config)["properties"]
    assert settings["platform"] == {"enabled": True}
    assert settings["globalValidation"]["unauthenticatedClientAction"] == "AllowAnonymous"
    registration = settings["identityProviders"]["azureActiveDirectory"]["registration"]
    assert registration["openIdIssuer"].startswith("https://login.microsoftonline.com/")
    assert app_settings(azd)[registration["clientSecretSettingName"]] == app_settings(azd)["AZURE_CLIENT_ID"]
    azd.provision(**chosen)
    assert app_settings(azd)["OPERATOR_SIGN_IN"] == "entra"
    azd.the(config)["properties"]["platform"] = {"enabled": False}  # by hand, in the portal
    azd.provision(**chosen)
    assert app_settings(azd)["OPERATOR_SIGN_IN"] == "none"


def test_the_command_says_what_there_would_be(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dry_run", "PRIVATE_NETWORK=true"])
    command.main()
    out = capsys.readouterr().out
    assert "   8 Microsoft.Network/privateEndpoints\n" in out
    assert "provisioned twice, nothing refused" in out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("DATABASE_ADMIN_TYPE=Robot", "databaseAdminType is 'Robot'"),
        ("ALERT_EMAIL_TO=", "azd would ask for alertEmailTo"),
        ("VAULT_RETENTION_DAYS=3", "retentionDays is below its minValue"),
    ],
)
def test_the_command_names_what_is_wrong(monkeypatch, given, message):
    monkeypatch.setattr(sys, "argv", ["dry_run", given])
    with pytest.raises(SystemExit, match=message):
        command.main()
