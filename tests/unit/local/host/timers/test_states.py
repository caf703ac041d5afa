import pytest

from local.host.timers.states import States, Status

STATUS = Status("2026-05-01T00:00:00+00:00", "2026-05-02T00:00:00+00:00", "2026-05-01T00:00:01+00:00")


def test_a_state_is_kept(tmp_path):
    States(tmp_path / "timers").save("nightly", STATUS)
    assert States(tmp_path / "timers").load("nightly") == STATUS
    assert States(tmp_path / "timers").load("other") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        pytest.param("[" * 100_000, id="deep"),
        '{"Last": "x", "Next": "no time", "LastUpdated": ""}',
        "[]",
        '{"Last": 1, "Next": 2, "LastUpdated": 3}',
    ],
)
def test_one_that_cannot_be_read_is_said(tmp_path, host_logs, text):
    (tmp_path / "nightly.json").write_text(text)
    assert States(tmp_path).load("nightly") is None
    assert "nightly.json cannot be read: the timer starts afresh." in host_logs.messages[-1]


def test_a_folder_in_its_place_is_said(tmp_path, host_logs):
    (tmp_path / "nightly.json").mkdir()
    assert States(tmp_path).load("nightly") is None
    assert "nightly.json cannot be read: the timer starts afresh." in host_logs.messages[-1]


def test_on_a_full_disk_the_timer_goes_on_and_the_log_says_so(tmp_path, monkeypatch, host_logs):
    states = States(tmp_path)
    states.save("nightly", STATUS)
    with monkeypatch.context() as patches:
        patches.setattr("pathlib.Path.write_text", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        states.save("nightly", Status("", "", ""))
    assert states.load("nightly") == STATUS
    assert "No space left" in host_logs.messages[-1]
