"""A file that cannot be used is one line with the file and the remedy; what a damaged journal lost is said.

Tried with the task hub; the stand-ins keep their data in the same way.
"""

import os
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from local.host.core.database import DatabaseUnusable, close_database, open_database
from local.host.core.journal import damage
from local.host.durable.taskhub.hub import Hub

PAGE, HEADER, FRAME = 4096, 32, 24


def test_a_folder_in_its_place(tmp_path):
    (tmp_path / "hub.db").mkdir()
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is not a file. Move it away, or pass --data"):
        Hub(tmp_path / "hub.db")


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(
        DatabaseUnusable, match=r"hub\.db is damaged: file is not a database. Restore it .* or move it away"
    ):
        Hub(tmp_path / "hub.db")


def test_a_database_with_damaged_pages(tmp_path):
    hub = Hub(tmp_path / "hub.db")
    fill(hub, 50)
    hub.close()
    data = bytearray((tmp_path / "hub.db").read_bytes())
    data[PAGE:] = b"\x05" * (len(data) - PAGE)
    (tmp_path / "hub.db").write_bytes(data)
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is damaged: .* Restore it"):
        Hub(tmp_path / "hub.db")


def test_an_empty_file_is_damaged_and_its_journal_is_left(killed):
    kept = killed.with_name("hub.db-wal").read_bytes()
    killed.write_bytes(b"")
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is damaged: it is empty, .* Restore it .* or move it away"):
        Hub(killed)
    assert killed.with_name("hub.db-wal").read_bytes() == kept


def test_a_missing_file_with_a_journal_is_damaged(killed):
    kept = killed.with_name("hub.db-wal").read_bytes()
    killed.unlink()
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is damaged: it is missing, and its -wal file is there"):
        Hub(killed)
    assert killed.with_name("hub.db-wal").read_bytes() == kept


def test_one_that_was_never_written_is_made_whole_or_not_at_all(tmp_path, monkeypatch, host_logs):
    with monkeypatch.context() as patches:
        patches.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DatabaseUnusable, match=r"hub\.db cannot be opened: .*No space left"):
            Hub(tmp_path / "data" / "hub.db")
    assert list((tmp_path / "data").iterdir()) == []
    Hub(tmp_path / "data" / "hub.db").close()
    Hub(tmp_path / "data" / "hub.db").close()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["hub.db"]
    assert not host_logs.messages


def test_a_database_of_somebody_else_is_left_as_it_is(tmp_path):
    with closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(DatabaseUnusable, match=r"hub\.db was written by another version \(format 0, this is 1\)"):
        Hub(tmp_path / "hub.db")
    with closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["theirs"]


def test_a_file_cut_short_is_damaged(tmp_path):
    hub = Hub(tmp_path / "hub.db")
    fill(hub, 50)
    hub.close()
    os.truncate(tmp_path / "hub.db", PAGE)
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is damaged: .* Restore it"):
        Hub(tmp_path / "hub.db")


def fill(hub, commits):
    for number in range(commits):
        with hub.transaction():
            hub.append_history("i", number, ['{"EventType": 1}'])


@pytest.fixture
def killed(tmp_path):
    """A hub as a killed process leaves it: its commits are in the journal alone."""
    hub = Hub(tmp_path / "first.db")
    fill(hub, 20)
    for name in ("first.db", "first.db-wal"):
        shutil.copyfile(tmp_path / name, tmp_path / name.replace("first", "hub"))
    hub.close()
    return tmp_path / "hub.db"


def flip(journal: Path, position: int) -> None:
    data = bytearray(journal.read_bytes())
    data[position] ^= 0xFF
    journal.write_bytes(data)


def test_a_kill_damages_nothing(killed, host_logs):
    hub = Hub(killed)
    assert len(hub.history("i")) == 20
    hub.close()
    assert not host_logs.messages


@pytest.mark.parametrize("frame", [3, 10])
def test_damage_in_the_middle_is_said_and_the_journal_kept(killed, host_logs, frame):
    journal = killed.with_name("hub.db-wal")
    flip(journal, HEADER + (PAGE + FRAME) * frame + FRAME + 100)
    damaged = journal.read_bytes()
    hub = Hub(killed)
    assert len(hub.history("i")) < 20
    hub.close()
    assert "hub.db-wal of the task hub is damaged" in host_logs.messages[0]
    assert killed.with_name("hub.db-wal.damaged").read_bytes() == damaged


@pytest.mark.parametrize("lose", [Path.unlink, lambda journal: journal.write_bytes(b"")])
def test_a_lost_journal_is_said(killed, host_logs, lose):
    lose(killed.with_name("hub.db-wal"))
    hub = Hub(killed)
    assert hub.history("i") == []
    hub.close()
    assert "hub.db-wal of the task hub is damaged: it is missing or empty after a kill" in host_logs.messages[0]
    host_logs.clear()
    Hub(killed).close()
    assert not host_logs.messages


def test_an_empty_journal_of_a_hub_that_ended_in_good_order_is_none(tmp_path, host_logs):
    Hub(tmp_path / "hub.db").close()
    (tmp_path / "hub.db-wal").touch()
    Hub(tmp_path / "hub.db").close()
    assert not host_logs.messages


def test_a_kill_before_the_first_commit_damages_nothing(tmp_path, host_logs):
    hub = Hub(tmp_path / "first.db")
    for name in ("first.db", "first.db-wal"):
        shutil.copyfile(tmp_path / name, tmp_path / name.replace("first", "hub"))
    hub.close()
    Hub(tmp_path / "hub.db").close()
    assert not host_logs.messages


def test_a_damaged_header_is_said(killed, host_logs):
    flip(killed.with_name("hub.db-wal"), 17)
    Hub(killed).close()
    assert "is damaged: its header is damaged" in host_logs.messages[0]


@pytest.mark.parametrize("cut", [1, PAGE, PAGE + FRAME - 1])
def test_a_last_page_that_a_kill_cut_short_is_no_damage(killed, host_logs, cut):
    journal = killed.with_name("hub.db-wal")
    journal.write_bytes(journal.read_bytes()[:-cut])
    hub = Hub(killed)
    assert len(hub.history("i")) == 19
    hub.close()
    assert not host_logs.messages


def test_frames_of_an_older_journal_behind_this_one_are_no_damage(tmp_path):
    database = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE t (x)")
    for number in range(30):
        database.execute("INSERT INTO t VALUES (?)", (number,))
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    database.execute("INSERT INTO t VALUES (99)")
    _, recovered, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    log = (tmp_path / "a.db-wal").read_bytes()
    assert recovered < (len(log) - HEADER) // (PAGE + FRAME)
    assert damage(log, recovered) is None
    database.close()


@pytest.mark.parametrize("log", [b"short", bytes(4096), struct.pack(">I", 1) + bytes(100)])
def test_a_journal_without_a_header_is_damaged(log):
    assert damage(log, 0) is not None
    assert damage(b"", 0) is None


@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_zeros_as_a_power_cut_leaves_them_are_said(killed, host_logs, kept):
    journal = killed.with_name("hub.db-wal")
    log = journal.read_bytes()
    whole = int(len(log) * kept)
    journal.write_bytes(log[:whole] + bytes(len(log) - whole))
    hub = Hub(killed)
    assert len(hub.history("i")) < 20
    hub.close()
    assert "hub.db-wal of the task hub is damaged" in host_logs.messages[0]


@pytest.mark.parametrize("position", [FRAME + 100, 8, 12], ids=["page", "first salt", "second salt"])
def test_a_last_page_that_is_whole_and_wrong_is_said(killed, host_logs, position):
    journal = killed.with_name("hub.db-wal")
    frames = (journal.stat().st_size - HEADER) // (PAGE + FRAME)
    flip(journal, HEADER + (PAGE + FRAME) * (frames - 1) + position)
    hub = Hub(killed)
    assert len(hub.history("i")) == 19
    hub.close()
    assert "hub.db-wal of the task hub is damaged" in host_logs.messages[0]


def test_another_programs_file_is_refused(tmp_path):
    database = sqlite3.connect(tmp_path / "hub.db")
    database.execute("CREATE TABLE songs (title)")
    database.execute("PRAGMA user_version=1")
    database.close()
    with pytest.raises(DatabaseUnusable, match=r"hub\.db has none of its tables"):
        Hub(tmp_path / "hub.db")


def test_the_schema_of_a_file_that_is_there_grows_and_what_it_holds_stays(tmp_path):
    first = "CREATE TABLE IF NOT EXISTS one (x)"
    database = open_database(tmp_path / "data.sqlite", first, "store")
    database.execute("INSERT INTO one VALUES (1)")
    close_database(database)
    database = open_database(tmp_path / "data.sqlite", f"{first};CREATE TABLE IF NOT EXISTS two (x)", "store")
    assert database.execute("SELECT x FROM one").fetchall() == [(1,)]
    assert database.execute("SELECT x FROM two").fetchall() == []
    close_database(database)
