import json
import time

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue

from local.host.testing import HostProcess, InProcessHost
from local.servicebus.testing import running

QUEUES = ["work,lock=PT5S", "fragile,max-delivery=3", "many"]


@pytest.fixture(scope="module")
def bus(tmp_path_factory):
    with running(tmp_path_factory.mktemp("bus"), QUEUES) as process:
        yield process


@pytest.fixture(scope="module")
def app(apps, bus):
    with InProcessHost(apps / "servicebus", settings={"Bus": bus.connection_string, "WORK_QUEUE": "work"}) as host:
        yield host


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def logged(app, name):
    return [json.loads(line.partition(f" {name} ")[2]) for line in app.log.splitlines() if f"] {name} " in line]


def test_a_message_is_handed_over_with_its_properties(app, bus):
    with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_sender("work") as to,
    ):
        to.send_messages(
            ServiceBusMessage(b"body", message_id="one", subject="S", application_properties={"n": 5, "s": "x"})
        )
    found = wait_for(lambda: [one for one in logged(app, "work") if one["id"] == "one"])[0]
    assert found == {
        "body": "body", "id": "one", "delivery": 1, "properties": {"n": 5, "s": "x"}, "subject": "S",
        "enqueued": True, "type": None,
    }  # fmt: skip


def test_a_key_of_the_messages_json_hides_the_metadata_of_that_name_as_in_azure(app, bus):
    body = '{"messageId": 17, "other": [1]}'
    with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_sender("work") as to,
    ):
        to.send_messages(ServiceBusMessage(body))
    found = wait_for(lambda: [one for one in logged(app, "work") if one["body"] == body])[0]
    assert found["id"] == "17"
    assert "has the key(s) MessageId, which as in Azure replace" in app.log


def test_outputs_are_sent_and_json_arrays_split_loudly(app):
    app.request("POST", "/api/send/work", b'["a1",{"b":2}]')
    bodies = lambda: [one["body"] for one in logged(app, "work")]  # noqa: E731 - asked again and again
    wait_for(lambda: "a1" in bodies() and '{\n  "b": 2\n}' in bodies())
    assert "Function 'send' set the output 'message' to a str that is JSON" in app.log
    (sent,) = [one for one in logged(app, "work") if one["body"] == "a1"]
    assert sent["type"] == "text/plain"
    assert sent["properties"] == {
        "$AzureWebJobsParentId": next(one.id for one in app.invocations if one.function == "send")
    }
    app.request("POST", "/api/send/work?raw=1", b'["as it is"]')
    wait_for(lambda: "System.Byte[]" in bodies())
    assert "Function 'send' set the output 'message' to bytes" in app.log


def test_many_messages_at_once_are_each_handed_over_once(app):
    for number in range(60):
        app.request("POST", "/api/send/work", f"n{number}".encode())
    wait_for(lambda: sum(one["body"].startswith("n") for one in logged(app, "work")) >= 60)
    assert sorted(one["body"] for one in logged(app, "work") if one["body"].startswith("n")) == sorted(
        f"n{number}" for number in range(60)
    )


def test_a_failure_abandons_and_the_broker_dead_letters(app, bus):
    app.request("POST", "/api/send/fragile", b"second")
    app.request("POST", "/api/send/fragile", b"never")
    with ServiceBusClient.from_connection_string(bus.connection_string) as client:
        receiver = client.get_queue_receiver("fragile", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        (dead,) = receiver.receive_messages(1, max_wait_time=20)
        assert b"".join(dead.body) == b"never"
        receiver.complete_message(dead)
        receiver.close()
    assert sorted(line[-1] for line in app.log.splitlines() if "fragile delivery" in line) == ["1", "1", "2", "2", "3"]


def test_a_batch_comes_as_a_list(app, bus):
    with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_sender("many") as to,
    ):
        to.send_messages([ServiceBusMessage(f"m{number}") for number in range(5)])
    wait_for(lambda: sum(len(one) for one in logged(app, "many")) == 5)
    assert [body for batch in logged(app, "many") for body in batch] == [f"m{number}" for number in range(5)]


def test_it_can_be_run_by_hand(app):
    app.call("work", "by hand")
    wait_for(lambda: any(one["body"] == "by hand" for one in logged(app, "work")))
    app.call("many", "by hand too")
    wait_for(lambda: ["by hand too"] in logged(app, "many"))


def test_it_listens_again_after_the_broker_was_away(apps, tmp_path):
    with running(tmp_path / "bus", QUEUES) as bus:
        settings = {"Bus": bus.connection_string, "WORK_QUEUE": "work"}
        with InProcessHost(apps / "servicebus", data=tmp_path / "host", settings=settings) as app:
            app.request("POST", "/api/send/work", b"before")
            wait_for(lambda: [one for one in logged(app, "work") if one["body"] == "before"])
            bus.kill()
            bus.start()
            with (
                ServiceBusClient.from_connection_string(bus.connection_string) as client,
                client.get_queue_sender("work") as sender,
            ):
                sender.send_messages(ServiceBusMessage("after"))
            wait_for(lambda: [one for one in logged(app, "work") if one["body"] == "after"], 60)


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        ("", "The connection setting 'Bus' is missing. Set it under Values in local.settings.json"),
        ("nonsense", "The setting 'Bus' is no Service Bus connection string"),
    ],
)
def test_a_connection_that_cannot_be_is_one_clear_line(apps, tmp_path, connection, reason):
    with HostProcess(apps / "servicebus", tmp_path, environment={"WORK_QUEUE": "work", "Bus": connection}) as host:
        printed = "\n".join(host.output)
    assert f"The 'work' function is in error: Binding 'msg': {reason}" in printed
    assert "Traceback" not in printed
