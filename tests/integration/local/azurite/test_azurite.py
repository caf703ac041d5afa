"""Microsoft's emulator, started from the package, keeping its blobs from one start to the next."""

import signal

import psutil
import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient

from local.azurite import AzuriteError, Ports, azurite, connection_string
from local.processes import free_ports
from local.testing import command
from tests.present import present


def _ports() -> Ports:
    return Ports(*free_ports(3))


def test_blobs_and_queues_answer(storage_connection):
    with BlobServiceClient.from_connection_string(storage_connection) as service:
        assert service.get_account_information()["sku_name"]
    with QueueClient.from_connection_string(storage_connection, "letters") as queue:
        queue.create_queue()
        queue.send_message("hello")
        assert present(queue.receive_message()).content == "hello"


def test_the_command_keeps_blobs_and_leaves_nothing_running(tmp_path):
    ports = _ports()
    flags = ("--port", ports.blob, "--queue-port", ports.queue, "--table-port", ports.table, "--data", tmp_path)
    for start in (1, 2):
        with command("local.azurite", *flags) as process:
            assert present(process.stdout).readline().startswith(f"ready http://127.0.0.1:{ports.blob}")
            with ContainerClient.from_connection_string(connection_string(ports), "kept") as container:
                if start == 1:
                    container.create_container()
                    container.upload_blob("a", b"1")
                assert container.download_blob("a").readall() == b"1"
            children = psutil.Process(process.pid).children()
            process.send_signal(signal.SIGTERM if start == 1 else signal.SIGKILL)
            process.communicate(timeout=20)
        assert children
        assert not psutil.wait_procs(children, timeout=20)[1]
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("content", ["", "{", "\0\0"])
def test_damaged_data_are_named_with_the_remedy_and_left_as_they_are(tmp_path, content):
    file = tmp_path / "__azurite_db_queue__.json"
    file.write_text(content)
    with pytest.raises(AzuriteError, match=r"queue__\.json is damaged: .* Restore it from a copy, or move"):
        azurite(tmp_path, _ports()).__enter__()
    assert file.read_text() == content


def test_a_busy_port_is_named_with_its_flag(tmp_path, storage_connection):
    busy = int(storage_connection.split("QueueEndpoint=http://127.0.0.1:")[1].split("/")[0])
    message = f"Port {busy} is in use. Stop what uses it or pass --queue-port"
    blob, table = free_ports(2)
    with pytest.raises(AzuriteError, match=message), azurite(tmp_path, Ports(blob, busy, table)):
        pass


def test_what_is_missing_is_said_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("local.azurite._SCRIPT", tmp_path / "azurite.js")
    with pytest.raises(AzuriteError, match="Run `make setup`"), azurite(tmp_path, _ports()):
        pass
