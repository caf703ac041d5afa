"""The queues have the same rules in Azure and on a laptop, and the host holds their messages while it works on them."""

import json
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from local.servicebus.queues.settings import read_config
from tests.unit.infra.plain import plain

duration = TypeAdapter(timedelta).validate_python


@pytest.fixture(scope="session")
def local(root):
    return {queue.name: queue for queue in read_config(root / "local/servicebus/config.json")}


@pytest.mark.parametrize("name", ["consolidate", "deployments", "mailEvents", "papers"])
def test_a_message_is_held_given_up_and_recognised_alike(modules, local, name):
    """How long it lives differs: the emulator, whose file this is, allows an hour, five minutes to know a repeat."""
    queue = plain(modules["serviceBus"].named(name).value)
    azure = queue["properties"]
    here = local[queue["name"]]
    assert duration(azure["lockDuration"]) == timedelta(milliseconds=here.lock_duration)
    assert azure["maxDeliveryCount"] == here.max_delivery_count
    assert azure["deadLetteringOnMessageExpiration"] == here.dead_letter_expired
    assert azure.get("requiresDuplicateDetection", False) == (here.duplicate_window is not None)


def test_a_lock_is_renewed_for_as_long_as_a_function_may_work(modules, root):
    host = json.loads((root / "host.json").read_text())
    renewed = duration(host["extensions"]["serviceBus"]["maxAutoLockRenewalDuration"])
    assert renewed >= duration(host["functionTimeout"])
    for name in ("consolidate", "deployments", "mailEvents", "papers"):
        azure = plain(modules["serviceBus"].named(name).value)["properties"]
        assert duration(azure["lockDuration"]) < renewed


def test_a_repeated_deployment_is_recognised_for_as_long_as_its_message_lives(modules):
    azure = plain(modules["serviceBus"].named("deployments").value)["properties"]
    assert duration(azure["duplicateDetectionHistoryTimeWindow"]) >= duration(azure["defaultMessageTimeToLive"])
