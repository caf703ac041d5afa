"""What a killed host held is given back; a note that was not written whole says so and harms nothing else."""

import pytest
from azure.storage.queue import QueueMessage

from local.host.core.errors import ConfigurationError
from local.host.storage.leases import Leases


@pytest.fixture
def held(tmp_path):
    """Notes of a host that was killed."""
    folder = tmp_path / "queues" / "orders"
    folder.mkdir(parents=True)
    (folder / "one").write_text("receipt")
    return folder


def test_what_a_killed_host_held_is_found_and_what_this_one_holds_is_not(held):
    leases = Leases(held)
    message = QueueMessage(content="")
    message.id, message.pop_receipt = "two", "its receipt"
    leases.add(message)
    assert leases.left() == [("one", "receipt")]
    leases.drop("two")
    leases.drop("one")
    assert leases.left() == []


@pytest.mark.parametrize("data", [b"", b"\xff\xfe"])
def test_a_note_that_cannot_be_read_is_said_once(held, host_logs, data):
    (held / "torn").write_bytes(data)
    assert Leases(held).left() == [("one", "receipt")]
    assert "torn cannot be read, or is empty: its message stays hidden" in host_logs.messages[-1]
    host_logs.clear()
    assert Leases(held).left() == [("one", "receipt")]
    assert not host_logs.messages


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "queues").touch()
    with pytest.raises(ConfigurationError, match=r"Nothing can be kept in .*orders: Not a directory"):
        Leases(tmp_path / "queues" / "orders")
