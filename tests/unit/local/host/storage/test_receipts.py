import pytest

from local.host.core.errors import ConfigurationError
from local.host.storage.receipts import Receipts


def test_what_was_processed_is_known_after_a_restart(tmp_path):
    receipts = Receipts(tmp_path / "blobs" / "one.jsonl")
    receipts.add("a.txt", "1")
    receipts.add("a.txt", "2")
    receipts.add("b.txt", "1")
    again = Receipts(tmp_path / "blobs" / "one.jsonl")
    assert [again.has("a.txt", "1"), again.has("a.txt", "2"), again.has("b.txt", "1")] == [False, True, True]


def test_a_line_half_written_at_a_kill_damages_no_other(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('["a.txt", "1"]\n["b.t')
    Receipts(path).add("c.txt", "1")
    again = Receipts(path)
    assert [again.has(name, "1") for name in ("a.txt", "b.txt", "c.txt")] == [True, False, True]


def test_a_damaged_line_is_named_with_what_comes_of_it(tmp_path, host_logs):
    path = tmp_path / "one.jsonl"
    path.write_text('["a.txt", "1"]\nnonsense\n["c.txt", "1"]\n')
    receipts = Receipts(path)
    assert receipts.has("a.txt", "1")
    assert receipts.has("c.txt", "1")
    assert [text for text in host_logs.messages if "one.jsonl: the lines 2 cannot be read" in text]


@pytest.mark.parametrize(
    "line",
    ["5", "null", pytest.param("[" * 100_000, id="deep"), '["a.txt"]', '[["a.txt"], "1"]', '["a.txt", "1", "2"]'],
)
def test_a_line_of_another_form_is_a_damaged_one(tmp_path, host_logs, line):
    path = tmp_path / "one.jsonl"
    path.write_text(f'{line}\n["c.txt", "1"]\n')
    assert Receipts(path).has("c.txt", "1")
    assert "one.jsonl: the lines 1 cannot be read" in host_logs.messages[-1]


def test_an_empty_file_is_said_and_one_that_was_never_written_is_not(tmp_path, host_logs):
    Receipts(tmp_path / "new.jsonl")
    assert not host_logs.messages
    (tmp_path / "one.jsonl").touch()
    Receipts(tmp_path / "one.jsonl")
    assert "one.jsonl is empty, as a full disk leaves a file" in host_logs.messages[-1]


def test_a_first_line_half_written_at_a_kill_leaves_no_empty_file(tmp_path, host_logs):
    path = tmp_path / "one.jsonl"
    path.write_text('["a.t')
    Receipts(path)
    Receipts(path)
    assert not host_logs.messages


def test_a_folder_in_its_place_is_named_with_the_remedy(tmp_path):
    (tmp_path / "one.jsonl").mkdir()
    with pytest.raises(ConfigurationError, match=r"one\.jsonl cannot be used: Is a directory. Move them away"):
        Receipts(tmp_path / "one.jsonl")


def test_on_a_full_disk_nothing_runs_again_and_the_next_receipt_brings_the_last(tmp_path, monkeypatch, host_logs):
    path = tmp_path / "one.jsonl"
    receipts = Receipts(path)
    with monkeypatch.context() as patches:
        patches.setattr("pathlib.Path.open", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        receipts.add("a.txt", "1")
    assert receipts.has("a.txt", "1")
    assert "No space left on device" in host_logs.messages[-1]
    assert not path.exists()
    receipts.add("b.txt", "1")
    assert Receipts(path).has("a.txt", "1")


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"\n"])
def test_bytes_that_are_no_text_are_a_damaged_line(tmp_path, host_logs, data):
    (tmp_path / "one.jsonl").write_bytes(data)
    Receipts(tmp_path / "one.jsonl")
    assert "the lines 1 cannot be read" in host_logs.messages[-1]
