import base64
import contextlib
import gzip
import json
import time
import uuid

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueServiceClient

from local.host.storage import queue_trigger
from local.host.storage.queue_trigger import QueueTrigger
from local.host.testing import HostProcess, InProcessHost


@pytest.fixture(scope="module")
def app(apps, storage_connection):
    with InProcessHost(apps / "storage", settings={"Storage": storage_connection, "STAGE": "test"}) as host:
        yield host


@pytest.fixture(scope="module")
def queues(storage_connection):
    return QueueServiceClient.from_connection_string(storage_connection)


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def test_a_message_is_handed_over_its_outputs_written_and_itself_deleted(app, queues):
    app.request("POST", "/api/text/orders", b'{"order": "seven"}')
    wait_for(lambda: app.request("GET", "/api/text-of/receipts/seven.json").body == b'{"taken": "seven"}')
    wait_for(lambda: queues.get_queue_client("orders").get_queue_properties().approximate_message_count == 0)


def test_a_key_of_the_messages_json_hides_the_metadata_of_that_name_as_in_azure(app):
    app.request("POST", "/api/text/orders", b'{"order": "eight", "id": "the app\'s own"}')
    wait_for(lambda: "id=the app's own" in app.log)
    assert "the JSON that triggers it has the key(s) Id, which as in Azure replace the metadata of that name" in app.log
    app.request("POST", "/api/text/orders", b'{"order": 9, "id": 7, "tags": [1]}')
    wait_for(lambda: "id=7 " in app.log)
    wait_for(lambda: app.request("GET", "/api/text-of/receipts/9.json").body == b'{"taken": 9}')


def test_a_message_that_a_function_sends_is_taken_at_once(tmp_path, apps, storage_connection, monkeypatch):
    """Between two looks lies an hour here: what is taken, is taken because a function of this host has sent it."""
    waiting = set()
    wait = QueueTrigger._is_filled

    async def noted(self, seconds):
        if self._name.endswith("-once"):  # the other host of these tests looks as well
            waiting.add(self.function.name)
        return await wait(self, seconds)

    monkeypatch.setattr(queue_trigger, "SHORTEST_POLL", 3600)
    monkeypatch.setattr(QueueTrigger, "_is_filled", noted)
    environment = {"Storage": storage_connection, "STAGE": "once"}
    functions = ["put_text", "forward", "take_out"]
    with InProcessHost(apps / "storage", data=tmp_path, settings=environment, only=functions) as app:
        wait_for(lambda: waiting == {"forward", "take_out"}, 60)
        app.request("POST", "/api/text/in-once", b"now")
        wait_for(lambda: "out 'NOW'" in app.log, 60)


def test_a_message_that_never_works_ends_in_the_poison_queue(app):
    app.request("POST", "/api/text/fragile", b"broken")
    wait_for(lambda: "poison broken" in app.log)
    attempts = [line.rpartition(" ")[2] for line in app.log.splitlines() if "fragile attempt" in line]
    assert attempts == ["1", "2", "3"]
    assert "Message has reached MaxDequeueCount of 3. Moving message to queue 'fragile-poison'." in app.log


def test_a_list_is_one_message_each_and_a_json_str_is_split_loudly(app):
    app.request("POST", "/api/queue/in-test", b"one,two")
    wait_for(lambda: "out 'ONE'" in app.log and "out 'TWO'" in app.log)
    app.request("POST", "/api/text/in-test", b'["three",{"four":4}]')
    wait_for(lambda: "out 'THREE'" in app.log and "FOUR" in app.log)
    assert "Function 'put_text' set the output 'message' to a str that is JSON" in app.log


def test_without_an_http_answer_the_caller_gets_what_was_returned_for_another_output(app):
    answer = app.request("POST", "/api/returned/in-test", b"five")
    assert (answer.status, answer.body) == (200, b"five")
    wait_for(lambda: "out 'FIVE'" in app.log)


def test_messages_are_base64_in_the_queue_and_others_are_put_aside(app, queues):
    name = f"q{uuid.uuid4().hex}"
    app.request("POST", f"/api/text/{name}", b"plain text")
    (message,) = queues.get_queue_client(name).receive_messages()
    assert base64.b64decode(message.content) == b"plain text"
    queues.get_queue_client("orders").send_message("no base64!")
    wait_for(lambda: "A message in the queue 'orders' is not Base64" in app.log)
    poison = queues.get_queue_client("orders-poison")
    wait_for(lambda: any(one.name == "orders-poison" for one in queues.list_queues()))
    assert wait_for(lambda: [one.content for one in poison.receive_messages()]) == ["no base64!"]


def test_blobs_in_and_out(app):
    data = bytes(range(256))
    assert app.request("PUT", "/api/blob/data/a.bin", data).status == 201
    assert app.request("GET", "/api/blob/data/a.bin").body == data
    assert app.request("GET", "/api/blob/data/none.bin").status == 404


def test_a_binary_blob_read_as_text_is_mangled_as_in_azure_and_the_log_says_so(app):
    app.request("PUT", "/api/blob/data/b.bin", b"a\xffb")
    assert app.request("GET", "/api/text-of/data/b.bin").body == "a\ufffdb".encode()
    assert "the blob of the binding 'content' is no UTF-8 text" in app.log


def test_a_blob_trigger_is_given_the_blobs_own_metadata(app, storage_connection):
    uploads = BlobServiceClient.from_connection_string(storage_connection).get_container_client("uploads")
    with contextlib.suppress(ResourceExistsError):
        uploads.create_container()
    uploads.upload_blob(
        "tagged.csv",
        b"tagged",
        metadata={"owner": "me"},
        overwrite=True,
        content_settings=ContentSettings("text/csv", content_encoding="gzip", cache_control="no-store"),
    )
    wait_for(lambda: "upload uploads/tagged.csv of 6 bytes with {'owner': 'me'}" in app.log)
    (line,) = [one for one in app.log.splitlines() if "properties of uploads/tagged.csv" in one]
    shown = json.loads(line.partition(" are ")[2])
    assert shown.pop("LastModified").endswith("+00:00")
    assert shown.pop("CreatedOn").endswith("+00:00")
    assert shown.pop("ContentHash")
    assert shown["Metadata"] == {"owner": "me"}
    expected = {"BlobType": 0, "LeaseState": 0, "LeaseStatus": 1, "ContentLength": 6, "ETag": {}, "CopyStatus": 0}
    expected |= {"ContentType": "text/csv", "ContentEncoding": "gzip", "CacheControl": "no-store", "TagCount": 0}
    assert {name: shown[name] for name in expected} == expected
    assert shown["CopyCompletedOn"] == "0001-01-01T00:00:00+00:00"


def test_an_output_keeps_a_blobs_metadata_and_adds_the_run_that_wrote_it(app, storage_connection):
    app.request("PUT", "/api/blob/data/kept.txt", b"one")
    blob = BlobServiceClient.from_connection_string(storage_connection).get_blob_client("data", "kept.txt")
    blob.set_blob_metadata({"owner": "me"})
    app.request("PUT", "/api/blob/data/kept.txt", b"two")
    run = next(one.id for one in app.invocations if one.function == "put_blob")
    found = blob.get_blob_properties()
    assert found.metadata == {"owner": "me", "AzureWebJobsParentId": run}
    assert found.content_settings.content_type == "application/octet-stream"


def test_a_compressed_blob_stays_so(app, storage_connection):
    data = gzip.compress(b"the content")
    app.request("PUT", "/api/blob/data/makes-the-container", b"")
    container = BlobServiceClient.from_connection_string(storage_connection).get_container_client("data")
    container.upload_blob("c.gz", data, overwrite=True, content_settings=ContentSettings(content_encoding="gzip"))
    assert app.request("GET", "/api/blob/data/c.gz").body == data


def test_bindings_of_an_activity_name_its_input_and_its_instance(tmp_path, storage_connection):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "function_app.py").write_text(ACTIVITY)
    with InProcessHost(tmp_path / "app", settings={"Storage": storage_connection}) as app:
        instance = app.start_orchestration("saves", {"customer": "ann", "number": 7})
        found = app.wait_for(instance)
        assert (found.status, found.output) == ("Completed", "kept")
    container = BlobServiceClient.from_connection_string(storage_connection).get_container_client("kept")
    assert container.download_blob(f"{instance}/ann-7.txt").readall() == b"ann"


def test_members_of_a_json_blob_replace_what_its_path_says(app, storage_connection):
    app.request("PUT", "/api/blob/notes/a.json", b'{"name": "own", "size": 3}')
    wait_for(lambda: app.request("GET", "/api/text-of/noted/own-3.txt").body == b"a.json")
    assert "the JSON that triggers it has the key(s) name" in app.log


def test_each_version_of_a_blob_triggers_once(app, storage_connection):
    copies = BlobServiceClient.from_connection_string(storage_connection).get_container_client("copies")
    app.request("PUT", "/api/blob/uploads/report.csv", b"first")
    wait_for(lambda: app.log.count("upload uploads/report.csv of 5 bytes") == 1)
    app.request("PUT", "/api/blob/uploads/report.csv", b"second one")
    wait_for(lambda: "upload uploads/report.csv of 10 bytes" in app.log)

    def two_copies():
        found = [blob.name for blob in copies.list_blobs(name_starts_with="report-")]
        return found if len(found) == 2 else None

    names = wait_for(two_copies)
    assert sorted(copies.download_blob(name).readall() for name in names) == [b"first", b"second one"]
    assert all(len(name) == len("report-.csv") + 32 for name in names)


def test_functions_can_be_run_by_hand(app):
    app.call("take_order", '{"order": "nine"}')
    wait_for(lambda: app.request("GET", "/api/text-of/receipts/nine.json").body == b'{"taken": "nine"}')
    app.request("PUT", "/api/blob/data/by-hand.txt", b"x")
    app.call("copy_upload", "data/by-hand.txt")
    wait_for(lambda: "upload data/by-hand.txt of 1 bytes" in app.log)


def test_no_message_is_lost_when_the_host_stops_in_the_middle(apps, storage_connection, queues):
    with InProcessHost(apps / "storage", settings={"Storage": storage_connection, "STAGE": "many"}) as first:
        for start in range(0, 40, 10):
            first.request("POST", "/api/queue/in-many", ",".join(f"m{n}" for n in range(start, start + 10)).encode())
        wait_for(lambda: "out 'M" in first.log)
    with InProcessHost(apps / "storage", settings={"Storage": storage_connection, "STAGE": "many"}) as second:
        logs = lambda: first.log + second.log  # noqa: E731 - two hosts, one log
        wait_for(lambda: all(f"out 'M{n}'" in logs() for n in range(40)))


def test_a_message_that_a_killed_host_held_is_taken_again_at_its_next_start(apps, storage_connection, tmp_path):
    settings = {"Storage": storage_connection, "STAGE": "killed"}
    arguments = ["--functions", "take_slow", "put_text"]
    with HostProcess(apps / "storage", tmp_path, arguments, settings) as host:
        host.request("POST", "/api/text/slow-killed", b"x")
        host.wait_for_output("slow begins 1")
        host.kill()
        host.start()
        host.wait_for_output("A message of the queue 'slow-killed' that the last host held is visible again.")
        host.wait_for_output("slow begins 2")
        host.wait_for_output("slow ends")


ACTIVITY = """
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()

@app.orchestration_trigger(context_name="context")
def saves(context):
    return (yield context.call_activity("save", context.get_input()))

@app.blob_output(arg_name="kept", path="kept/{instanceId}/{customer}-{number}.txt", connection="Storage")
@app.activity_trigger(input_name="order")
def save(order, kept: func.Out[str]) -> str:
    kept.set(order["customer"])
    return "kept"
"""

RELOADED = """
import azure.functions as func
import azure.durable_functions as df

app = df.DFApp()

@app.queue_trigger(arg_name="msg", queue_name="reloaded", connection="Storage")
def take(msg: func.QueueMessage) -> None:
    print("OLD", msg.get_body().decode())

@app.orchestration_trigger(context_name="context")
def nothing(context):
    return None
"""


def test_no_message_is_taken_with_old_code_after_a_reload_that_fails(storage_connection, queues, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "function_app.py").write_text(RELOADED)
    queue = queues.get_queue_client("reloaded")
    with contextlib.suppress(ResourceExistsError):
        queue.create_queue()
    with HostProcess(app, tmp_path / "data", ["--reload"], {"Storage": storage_connection}) as host:
        (app / "function_app.py").write_text(RELOADED + "\nraise ValueError('half written')\n")
        host.wait_for_output("except for orchestrations, which go on with the code that they had")
        queue.send_message(base64.b64encode(b"one").decode())
        with pytest.raises(AssertionError):
            host.wait_for_output("OLD one", timeout=2.5)  # longer than any pause between two polls
        (app / "function_app.py").write_text(RELOADED.replace("OLD", "NEW"))
        host.wait_for_output("NEW one")


def test_a_missing_connection_names_function_and_binding(apps, tmp_path):
    with HostProcess(apps / "storage", tmp_path, environment={"Storage": "", "STAGE": "x"}) as host:
        printed = "\n".join(host.output)
    assert "Binding 'messages': The connection setting 'Storage' is missing." in printed
    assert "Traceback" not in printed


def test_storage_that_does_not_run_is_told_of_soon_and_keeps_nobody_waiting(apps, tmp_path):
    nowhere = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
        "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
    )
    with HostProcess(apps / "storage", tmp_path, environment={"Storage": nowhere, "STAGE": "x"}) as host:
        host.wait_for_output("UseDevelopmentStorage=true means Azurite", 20)
        assert host.request("GET", "/api/blob/data/a.bin").status == 500
        assert host.stop() == 0
