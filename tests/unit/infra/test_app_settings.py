"""What the Bicep tells the app, what the app asks for, and what a laptop is given are the same settings."""

import json
import re

import pytest

from shared.platform.workload import workloads
from tests.present import present
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import children
from tools.settings_page import PAGE, every_setting, page

# Read by the Functions runtime, its extensions and its telemetry, not by the app.
OF_THE_RUNTIME = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "ServiceBus__credential",
    "ServiceBus__clientId",
    "TASKHUB_NAME",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "OTEL_TRACES_SAMPLER",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
    "OTEL_TRACES_SAMPLER_ARG",
}
# Instead of these, a laptop has connection strings, an SMTP relay or nothing.
ONLY_IN_AZURE = {
    "STORAGE_BLOB_ENDPOINT",
    "ServiceBus__fullyQualifiedNamespace",
    "SERVICEBUS_RESOURCE",
    "AZURE_CLIENT_ID",
    "RESEND_API_KEY",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "COSMOS_ENDPOINT",
    "KEY_VAULT_URI",
    "AZURE_MANAGEMENT_ENDPOINT",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "AZURE_LOCATION",
    "AZURE_CONTAINER_REGISTRY",
    "BASE_IMAGE_REGISTRY",
    "ISOLATED_ENVIRONMENTS",
    "AZURE_DEPLOYER_CLIENT_ID",
    "OPERATOR_SIGN_IN",
    "CONTAINER_APPS_ENVIRONMENT_ID",
    "AUTHCACHE_CATALOG_URI",
    "AUTHCACHE_CATALOG_SCOPE",
    "CONTAINER_APPS_IDENTITY_ID",
}
ONLY_LOCAL = {
    "STORAGE_CONNECTION",
    "SERVICEBUS",
    "COSMOS_CONNECTION",
    "LOCAL_PLATFORM_URL",
    "LOCAL_PLATFORM_TOKEN",
    "SMTP_HOST",
    "SMTP_PORT",
    "COMMUNICATION_KEY",
    "FOLLOWUPS_DNS_SERVER",
}
# Flex Consumption refuses to start, or builds wrongly, with these.
REFUSED_ON_FLEX = {
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
}


@pytest.fixture(scope="session")
def in_bicep(modules) -> dict[str, str]:
    runtime = plain(modules["functionApp"].named("runtime").value)
    sign_in = plain(children(modules["functionApp"].named("signInSettings").value)[1])
    return runtime | sign_in | plain(modules["main"].named("app").value)["params"]["settings"]


@pytest.fixture(scope="session")
def local(root) -> dict[str, str]:
    return json.loads((root / "local.settings.json.example").read_text())["Values"]


def test_the_app_knows_every_setting_that_azure_gives_it(in_bicep):
    assert set(in_bicep) - OF_THE_RUNTIME - set(every_setting()) == set()


def test_every_setting_is_documented():
    assert all(field.description for field in every_setting().values())
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.settings_page`"


def test_azure_gives_every_setting_that_has_no_default_to_live_with(in_bicep):
    wanting = {name for name, field in every_setting().items() if field.is_required() or field.default in {None, ""}}
    assert wanting - set(in_bicep) == ONLY_LOCAL & wanting


def test_a_laptop_is_given_the_same_settings(in_bicep, local):
    assert set(in_bicep) - OF_THE_RUNTIME - ONLY_IN_AZURE - set(local) == set()
    assert set(local) - {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "ServiceBus"} - OF_THE_RUNTIME <= set(
        every_setting()
    )


def test_the_settings_of_a_workload_stand_together(modules):
    names = list(plain(modules["main"].named("app").value)["params"]["settings"])
    for workload in workloads():
        if workload.name != "operations":  # it reads those of the platform
            fields = present(workload.settings).model_fields.items()
            own = {field.alias or name.upper() for name, field in fields}
            places = [place for place, name in enumerate(names) if name in own]
            assert places == list(range(places[0], places[0] + len(places))), workload.name


def test_runtime_settings_are_the_same_on_a_laptop(in_bicep, local):
    for name in ("TASKHUB_NAME", "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"):
        assert in_bicep[name] == local[name]


def test_nothing_is_set_that_flex_consumption_refuses(in_bicep):
    assert set(in_bicep) & REFUSED_ON_FLEX == set()


def test_no_span_is_dropped_since_alerts_count_spans(in_bicep):
    """The distribution of Azure Monitor keeps five traces a second of a process unless another sampler is named."""
    assert in_bicep["OTEL_TRACES_SAMPLER"] == "microsoft.fixed_percentage"
    assert float(in_bicep["OTEL_TRACES_SAMPLER_ARG"]) == 1


def test_secrets_are_references_to_the_vault(in_bicep):
    secret = {name for name, field in every_setting().items() if "SecretStr" in str(field.annotation)}
    for name in secret & set(in_bicep):
        assert in_bicep[name].startswith("@Microsoft.KeyVault(SecretUri=${secrets.outputs."), name
    assert {"NIVODA_PASSWORD", "ADMIN_API_KEY", "RESEND_API_KEY", "HMAC_SECRETS"} <= secret & set(in_bicep)


def test_numbers_are_within_the_limits_of_the_app(in_bicep, monkeypatch):
    for name, value in in_bicep.items():
        if re.fullmatch(r"[0-9.]+", value):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("POSTGRES_DSN", "host=server dbname=manifold user=app")
    monkeypatch.setenv("NIVODA_PRICE_UNIT", "cents")
    for workload in workloads():
        assert workload.settings is not None
        assert workload.settings.of_environment()
