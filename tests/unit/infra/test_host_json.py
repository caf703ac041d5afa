"""host.json keeps the rules of Flex Consumption and of Durable Functions, and the local host obeys it."""

import json

import pytest

from local.host.durable.model.options import DurableOptions
from local.host.settings.host_json import read_host_json, resolve_section
from shared.diamonds.settings import DiamondSettings


@pytest.fixture(scope="session")
def host(root):
    return json.loads((root / "host.json").read_text())


@pytest.fixture(scope="session")
def durable(host):
    return host["extensions"]["durableTask"]


def test_routes_have_no_prefix(host):
    assert host["extensions"]["http"]["routePrefix"] == ""


def test_telemetry_is_open_telemetry_with_traces_through_orchestrations(host, durable):
    assert host["telemetryMode"] == "OpenTelemetry"
    # Inputs and outputs of activities are the workloads' data: no business of a trace.
    assert durable["tracing"] == {
        "distributedTracingEnabled": True,
        "version": "V2",
        "traceInputsAndOutputs": False,
    }


def test_the_extension_bundle_is_the_one_that_is_recorded(host):
    assert host["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.30.0, 5.0.0)",
    }


def test_each_environment_has_its_own_task_hub(durable):
    assert durable["hubName"] == "%TASKHUB_NAME%"


def test_an_orchestration_goes_on_only_in_a_version_that_knows_it(durable):
    assert durable["defaultVersion"]
    assert durable["versionMatchStrategy"] == "CurrentOrOlder"
    assert durable["versionFailureStrategy"] == "Reject"


def test_the_storage_backend_is_set_for_flex_consumption(durable):
    storage = durable["storageProvider"]
    assert storage["connectionName"] == "AzureWebJobsStorage"
    assert storage["partitionCount"] == 4, "cannot change in the life of a task hub"
    assert storage["maxQueuePollingInterval"] <= "00:00:10"
    assert storage["useTablePartitionManagement"] is True
    assert "extendedSessionsEnabled" not in durable, ".NET only"


def test_a_time_box_ends_before_the_host_ends_the_function(root, host):
    timeout = read_host_json(root, {}).function_timeout()
    assert timeout == 600
    longest = next(m.lt if hasattr(m, "lt") else m.le for m in DiamondSettings.model_fields["ingest_seconds"].metadata
                   if hasattr(m, "le") or hasattr(m, "lt"))  # fmt: skip
    assert longest < timeout


def test_the_local_host_takes_the_whole_section(root):
    section = read_host_json(root, {}).section("extensions.durableTask")
    options = DurableOptions.parse(resolve_section(section, {"TASKHUB_NAME": "manifold"}))
    assert options.hub_name == "manifold"
    assert options.default_version == "1.0"
    assert options.max_concurrent_activity_functions == 9
