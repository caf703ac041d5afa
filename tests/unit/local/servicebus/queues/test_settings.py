import json
from pathlib import Path

import pytest

from local.servicebus.__main__ import CONFIG
from local.servicebus.queues.settings import (
    QueueSettings,
    SettingsError,
    duration_text,
    merge,
    parse_queue,
    read_config,
)


def test_a_bare_name_takes_azures_defaults():
    assert parse_queue("Work") == QueueSettings("work", 60_000, 10, None, None, dead_letter_expired=False)


def test_every_part_is_understood():
    text = "deployments,duplicate-detection=PT10M,max-delivery=3,ttl=PT1H,lock=PT5M,dead-letter-expired"
    assert parse_queue(text) == QueueSettings("deployments", 300_000, 3, 3_600_000, 600_000, dead_letter_expired=True)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("work,lock=PT6M", "LockDuration"),
        ("work,lock=soon", "LockDuration"),
        ("work,lock=", "'lock='"),
        ("work,max-delivery=0", "MaxDeliveryCount"),
        ("work,ttl=PT0S", "DefaultMessageTimeToLive"),
        ("work,colour=red", "'colour=red'"),
        ("wo rk", "Name"),
        ("", "Name"),
    ],
)
def test_a_bad_part_is_named(text, part):
    with pytest.raises(SettingsError, match=part):
        parse_queue(text)


DELIVERIES = {"consolidate": 3, "deployments": 3, "mail-events": 10, "papers": 10}


def test_the_projects_own_file_has_its_queues():
    queues = {queue.name: queue for queue in read_config(CONFIG)}
    assert list(queues) == ["consolidate", "deployments", "mail-events", "papers"]
    assert queues["consolidate"].duplicate_window is None
    assert queues["deployments"].duplicate_window == 300_000
    # A deployment's message is handled in moments: a short lock brings back soon what a killed host held.
    assert (queues["consolidate"].lock_duration, queues["deployments"].lock_duration) == (300_000, 60_000)
    assert {name: queue.max_delivery_count for name, queue in queues.items()} == DELIVERIES
    for queue in queues.values():
        assert queue.time_to_live == 3_600_000
        assert queue.dead_letter_expired


def write(folder: Path, queue: dict, **namespace) -> Path:
    path = folder / "config.json"
    spaces = [{"Name": "n", "Queues": [queue], **namespace}]
    path.write_text(json.dumps({"UserConfig": {"Namespaces": spaces}}))
    return path


@pytest.mark.parametrize(
    ("properties", "namespace", "part"),
    [
        ({"RequiresSession": True}, {}, "RequiresSession"),
        ({"ForwardTo": "other"}, {}, "ForwardTo"),
        ({"LockDuration": "PT1H"}, {}, "LockDuration"),
        ({"Unheard": 1}, {}, "Unheard"),
        ({}, {"Topics": [{"Name": "t"}]}, "Topics"),
    ],
)
def test_what_the_stand_in_lacks_is_refused(tmp_path, properties, namespace, part):
    path = write(tmp_path, {"Name": "q", "Properties": properties}, **namespace)
    with pytest.raises(SettingsError, match=part):
        read_config(path)


def test_a_file_that_is_no_json_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(SettingsError, match=r"config\.json"):
        read_config(path)


def test_a_later_queue_replaces_an_earlier_one_of_its_name():
    assert merge([parse_queue("a"), parse_queue("b")], [parse_queue("A,lock=PT5S")]) == [
        parse_queue("a,lock=PT5S"),
        parse_queue("b"),
    ]


@pytest.mark.parametrize(("duration", "text"), [(300_000, "PT5M"), (3_600_000, "PT1H"), (1500, "PT1.5S")])
def test_durations_are_written_as_azure_does(duration, text):
    assert duration_text(duration) == text
