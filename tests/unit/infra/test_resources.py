"""The Bicep says what the app, the brokers and the operators rely on."""

import json
import re

import pytest
import yaml
from annotated_types import Le

from function_app import app
from local.arm.provisioning.refusals import SITE_CONFIG_OF_FLEX
from shared.backups.settings import BackupSettings
from tests.present import present
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import children, text, walk

# The emulator of Service Bus, whose limits local/servicebus/config.json keeps to, takes no more than these.
EMULATOR_LIMITS = {"DefaultMessageTimeToLive": 3600, "DuplicateDetectionHistoryTimeWindow": 300}
# PostgreSQL's max_connections by size, less the 15 that Azure keeps for itself.
CONNECTIONS = {"Standard_B1ms": 50 - 15, "Standard_B2s": 429 - 15}


def resource(modules, module, name):
    return plain(modules[module].named(name).value)


def seconds(duration):
    days, hours, minutes = present(re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration)).groups(
        default="0"
    )
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
        ("keyVault", "vault", {"enableRbacAuthorization": True, "enableSoftDelete": True}),
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
    assert resource(modules, "functionApp", "noScmPassword")["properties"] == {"allow": False}


def test_a_site_on_flex_consumption_says_only_what_that_plan_takes(modules):
    """Azure refuses other keys of siteConfig with 51021, in some regions earlier than in others."""
    assert resource(modules, "functionApp", "plan")["sku"]["name"] == "FC1"
    config = resource(modules, "functionApp", "app")["properties"]["siteConfig"]
    taken = {"appSettings", "cors", "minTlsVersion", "scmMinTlsVersion", "http20Enabled", "remoteDebuggingEnabled"}
    assert set(config) <= taken
    assert taken == SITE_CONFIG_OF_FLEX


def test_the_time_of_a_deployment_feeds_nothing_that_cannot_change(modules):
    """It differs at each provisioning. Only the expiry of a secret may: every provisioning writes a new version."""
    using = {name for name, module in modules.items() if "utcNow(" in text(module.root)}
    assert using == {"secrets", "catalog"}
    for name in using:
        expiry = modules[name].named("expiresAt")
        uses = [text(present(node.parent)) for node in walk(modules[name].root) if text(node) == "expiresAt"]
        uses = [use for use in uses if use != text(present(expiry.name.parent))]
        assert set(uses) == {"(expiresAt)"}
        assert text(modules[name].root).count("exp: dateTimeToEpoch(expiresAt)") == len(uses)


def test_a_deleted_vault_can_be_purged_unless_it_is_protected(modules):
    """Azure takes true or nothing, and keeps the name of a protected one for all its days."""
    vault = resource(modules, "keyVault", "vault")["properties"]
    assert vault["enablePurgeProtection"] == "purgeProtection ? true : null"
    for call in ("vault", "deployedAppsVault"):
        assert resource(modules, "main", call)["params"]["purgeProtection"] == "purgeProtection"


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


def function_groups():
    """How many groups of functions Azure scales by themselves, and how many of them never have a second instance."""
    triggers = [present(function.get_trigger()).type for function in app.get_functions()]
    durable = {"orchestrationTrigger", "activityTrigger", "entityTrigger"}
    alone = [one for one in triggers if one not in durable | {"httpTrigger"}]
    timers = alone.count("timerTrigger")
    return 2 + len(alone) - timers, timers


def test_all_instances_of_all_groups_together_fit_the_database(root, modules):
    """HTTP functions are one group, durable ones another, every other function one of its own; each has the ceiling.

    A new queue trigger makes this fail: lower maximumInstanceCount or postgresPoolSize in main.bicep then.
    """
    main = modules["main"]
    size, pool, most = (
        plain(main.named(name).value) for name in ("postgresSkuName", "postgresPoolSize", "maximumInstanceCount")
    )
    scaled, timers = function_groups()
    assert scaled >= 4
    assert (scaled * most + timers) * pool <= CONNECTIONS[size]
    durable = json.loads((root / "host.json").read_text())["extensions"]["durableTask"]
    assert durable["maxConcurrentActivityFunctions"] < pool, "an activity would wait for a connection"
    assert plain(main.named("httpConcurrency").value) < pool, "a request would wait for a connection"


def test_requests_share_an_instance_and_its_memory(modules):
    """Unset, Python gets an instance for each request. An upload is held twice, and half of the memory is Python's."""
    scale = resource(modules, "main", "app")["params"]
    assert scale["httpConcurrency"] == "httpConcurrency"
    uploads = plain(modules["main"].named("httpConcurrency").value) * 2 * 50
    assert uploads <= plain(modules["main"].named("instanceMemoryMB").value) / 2


def test_azd_finds_the_module_and_the_app(root, modules):
    azure = yaml.safe_load((root / "azure.yaml").read_text())
    assert (root / azure["infra"]["path"] / f"{azure['infra']['module']}.bicep").is_file()
    (service,) = azure["services"]
    assert f"'azd-service-name': '{service}'" in resource(modules, "functionApp", "app")["tags"]
    outputs = {text(d.name) for d in modules["main"].declarations if d.kind == "output"}
    assert all(name == name.upper() for name in outputs)


def test_what_a_backup_takes_from_an_earlier_one_of_its_chain_is_never_in_the_archive(modules):
    listed = children(present(modules["storage"].named("backupRules").value))[-1]
    rules = {rule["name"]: rule["definition"] for rule in plain(listed)}
    ages, places = rules["age-backups"]["actions"]["baseBlob"], rules["age-backups"]["filters"]["prefixMatch"]
    longest = next(one.le for one in BackupSettings.model_fields["backups_chain_days"].metadata if isinstance(one, Le))
    assert longest < ages["tierToArchive"]["daysAfterModificationGreaterThan"]
    assert ages["tierToArchive"]["daysAfterLastTierChangeGreaterThan"] >= 7, "what was brought back stays a while"
    assert {place.rpartition("}/")[2] for place in places} == {"chunks/", "files/"}
    # A manifest lives as long as what it names, and is read without being brought back.
    kept = rules["expire-manifests"]["actions"]["baseBlob"]
    assert kept == {"delete": ages["delete"]}
