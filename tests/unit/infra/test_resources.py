"""The Bicep says what the app, the brokers and the operators rely on."""

import json
import re

import pytest
import yaml

from tools.bicep_check.syntax import plain, text, walk

# The emulator of Service Bus, whose limits local/servicebus/config.json keeps to, takes no more than these.
EMULATOR_LIMITS = {"DefaultMessageTimeToLive": 3600, "DuplicateDetectionHistoryTimeWindow": 300}
# PostgreSQL's max_connections by size, less the 15 that Azure keeps for itself.
CONNECTIONS = {"Standard_B1ms": 50 - 15, "Standard_B2s": 429 - 15}


def resource(modules, module, name):
    return plain(modules[module].named(name).value)


def seconds(duration):
    days, hours, minutes = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration).groups(default="0")
    return int(days) * 86_400 + int(hours) * 3600 + int(minutes) * 60


def test_the_queues_are_those_of_the_local_broker(root, modules):
    config = json.loads((root / "local/servicebus/config.json").read_text())
    local = {queue["Name"]: queue["Properties"] for queue in config["UserConfig"]["Namespaces"][0]["Queues"]}
    queues = [
        resource(modules, "serviceBus", text(d.name))
        for d in modules["serviceBus"].declarations
        if d.subject.startswith("Microsoft.ServiceBus/namespaces/queues@")
    ]
    assert {queue["name"] for queue in queues} == set(local)
    for queue in queues:
        for name, value in local[queue["name"]].items():
            ours = queue["properties"].get(name[0].lower() + name[1:], False)
            if name in EMULATOR_LIMITS:
                assert seconds(value) == min(seconds(ours), EMULATOR_LIMITS[name]), name
            else:
                assert ours == value, name


def test_the_deployments_queue_drops_what_a_sender_repeats(modules):
    queue = resource(modules, "serviceBus", "deployments")["properties"]
    assert queue["requiresDuplicateDetection"] is True
    assert queue["defaultMessageTimeToLive"] == "PT1H"
    assert queue["maxDeliveryCount"] == 3


@pytest.mark.parametrize(
    ("module", "name", "wanted"),
    [
        ("storage", "account", {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False,
                                "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True}),
        ("serviceBus", "namespace", {"disableLocalAuth": True, "minimumTlsVersion": "1.2"}),
        ("cosmos", "account", {"disableLocalAuth": True, "disableKeyBasedMetadataWriteAccess": True,
                               "minimalTlsVersion": "Tls12"}),
        ("keyVault", "vault", {"enableRbacAuthorization": True, "enablePurgeProtection": True}),
        ("monitoring", "insights", {"DisableLocalAuth": True}),
        ("containerRegistry", "registry", {"adminUserEnabled": False, "anonymousPullEnabled": False}),
        ("functionApp", "app", {"httpsOnly": True}),
    ],
)  # fmt: skip
def test_nothing_opens_with_a_key_or_in_the_clear(modules, module, name, wanted):
    properties = resource(modules, module, name)["properties"]
    assert {key: properties.get(key) for key in wanted} == wanted


def test_postgres_knows_no_passwords(modules):
    server = resource(modules, "postgres", "server")["properties"]
    assert server["authConfig"]["passwordAuth"] == "Disabled"
    assert server["authConfig"]["activeDirectoryAuth"] == "Enabled"
    assert "administratorLoginPassword" not in server


def test_publishing_takes_no_password(modules):
    for name in ("noFtpPassword", "noScmPassword"):
        assert resource(modules, "functionApp", name)["properties"] == {"allow": False}
    assert resource(modules, "functionApp", "app")["properties"]["siteConfig"]["ftpsState"] == "Disabled"


def test_no_module_asks_a_resource_for_its_keys(modules):
    calls = {text(node) for module in modules.values() for node in walk(module.root) if node.type == "call_expression"}
    assert [call for call in calls if "list" in call.split("(")[0].lower()] == []


def test_the_watermarks_are_kept_in_versions_for_thirty_days(modules):
    assert resource(modules, "main", "dataStorage")["params"]["versioned"] is True
    assert "watermarkContainer" in resource(modules, "main", "dataStorage")["params"]["containers"]
    assert plain(modules["storage"].named("versionDays").value) == 30
    # The runtime's own account is written every few seconds: versions of that would only cost.
    assert resource(modules, "main", "hostStorage")["params"]["versioned"] is False


def test_the_deployments_are_partitioned_by_organization(modules):
    container = resource(modules, "cosmos", "deployments")["properties"]["resource"]
    assert container["id"] == "deployments"
    assert container["partitionKey"]["paths"] == ["/organizationId"]


def test_extensions_that_migrations_create_are_allowed(root, modules):
    allowed = {name.lower() for name in plain(modules["postgres"].named("extensions").value).split(",")}
    created = re.compile(r"create extension (?:if not exists )?\"?(\w+)", re.IGNORECASE)
    asked = {name for file in (root / "migrations").glob("*.sql") for name in created.findall(file.read_text())}
    assert asked <= allowed
    assert "vector" in allowed


def test_all_instances_together_fit_the_database(root, modules):
    size = plain(modules["main"].named("postgresSkuName").value)
    pool = plain(modules["main"].named("postgresPoolSize").value)
    assert plain(modules["main"].named("maximumInstanceCount").value) * pool <= CONNECTIONS[size]
    durable = json.loads((root / "host.json").read_text())["extensions"]["durableTask"]
    assert durable["maxConcurrentActivityFunctions"] < pool, "activities would leave HTTP requests no connection"


def test_the_parameters_file_gives_what_main_takes(root, modules):
    given = json.loads((root / "infra/bicep/main.parameters.json").read_text())["parameters"]
    parameters = [d for d in modules["main"].declarations if d.kind == "parameter"]
    assert set(given) == {text(d.name) for d in parameters}
    for declaration in parameters:
        value = given[text(declaration.name)]["value"]
        if declaration.decorator("secure"):
            assert re.fullmatch(r"\$\{[A-Z_]+(=unset)?\}", value), f"{text(declaration.name)} is written down"
        if declaration.value is not None and isinstance(value, int | str) and not str(value).startswith("${"):
            assert value == plain(declaration.value), f"{text(declaration.name)} differs from its default"


def test_azd_finds_the_module_and_the_app(root, modules):
    azure = yaml.safe_load((root / "azure.yaml").read_text())
    assert (root / azure["infra"]["path"] / f"{azure['infra']['module']}.bicep").is_file()
    (service,) = azure["services"]
    assert f"'azd-service-name': '{service}'" in resource(modules, "functionApp", "app")["tags"]
    outputs = {text(d.name) for d in modules["main"].declarations if d.kind == "output"}
    assert all(name == name.upper() for name in outputs)


def test_what_the_hook_reads_is_put_out_or_set(root, modules):
    outputs = {text(d.name) for d in modules["main"].declarations if d.kind == "output"}
    hook = (root / "infra/hooks/prepare_database.py").read_text()
    read = set(re.findall(r'"([A-Z_]+)",\n', hook))
    assert read
    assert read - outputs == {"DATABASE_ADMIN_NAME"}
