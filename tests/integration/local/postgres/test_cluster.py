"""The real server from the wheel: made once, found again, stopped cleanly, and up again after a kill -9."""

import os
import re
import signal
import stat
import subprocess
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from local.postgres import PostgresError, server
from local.postgres.account import Account, caller_account
from local.processes import free_port
from local.testing import command
from tests.present import present


@pytest.fixture
def data():
    """A folder below /tmp itself: pytest's own folders are closed to the user that runs the server under root."""
    folder = Path("/tmp") / f"manifold-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    yield folder / "postgres"
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _start(data: Path, port: int):
    return command("local.postgres", "--port", port, "--data", data)


def _query(dsn: str, statement: str):
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


def test_the_database_is_what_the_app_expects(database):
    assert present(_query(database, "SHOW server_version_num"))[0].startswith("18")
    assert _query(database, "SHOW server_encoding") == ("UTF8",)
    assert _query(database, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == ("C.UTF-8",)
    assert _query(database, "SELECT '[1,2,3]'::vector <-> '[1,2,4]'::vector") == (1.0,)
    assert _query(database, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == (False,)


def test_databases_come_from_templates_and_are_dropped(postgres):
    name = postgres.template("with_table", lambda dsn: _query(dsn, "CREATE TABLE stones (id int)"))
    assert postgres.template("with_table", lambda dsn: pytest.fail("prepared twice")) == name
    with postgres.database(name) as first, postgres.database(name) as second:
        _query(first, "INSERT INTO stones VALUES (1)")
        assert _query(second, "SELECT count(*) FROM stones") == (0,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        _query(first, "SELECT 1")


def test_a_template_is_prepared_again_on_a_new_server_and_after_a_failure(postgres):
    def fails(dsn):
        _query(dsn, "CREATE TABLE half_done (id int)")
        raise RuntimeError

    def succeeds(dsn):
        prepared.append(dsn)
        _query(dsn, "CREATE TABLE half_done (id int)")

    prepared = []
    with pytest.raises(RuntimeError):
        postgres.template("anew", fails)
    for _ in range(2):  # the second one is a server that does not know it
        assert postgres.template("anew", succeeds) == "anew"
        _query(f"postgresql://manifold:manifold@127.0.0.1:{postgres.port}/manifold", "DROP DATABASE anew")
    assert len(prepared) == 2


def test_it_asks_for_the_password_and_listens_on_loopback_only(postgres):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://manifold:wrong@127.0.0.1:{postgres.port}/manifold")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:postgres@127.0.0.1:{postgres.port}/manifold")
    listening = {c.laddr.ip for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == postgres.port}
    assert listening == {"127.0.0.1"}


def test_data_is_found_again_after_a_stop_and_after_kill_9(data):
    with server(data) as running:
        assert _query(running.dsn, "SHOW fsync") == ("on",)
        _query(running.dsn, "CREATE TABLE kept (id int)")
        _query(running.dsn, "INSERT INTO kept VALUES (1)")
    assert running.process.returncode == 0
    with server(data) as running:
        _query(running.dsn, "INSERT INTO kept VALUES (2)")
        running.process.kill()
        running.process.wait()
        assert (running.data / "postmaster.pid").exists()
        with pytest.raises(PostgresError, match="ended with code -9"):
            running.check()
    with server(data) as running:
        assert _query(running.dsn, "SELECT sum(id) FROM kept") == (3,)


def test_a_stale_pid_of_another_living_program_does_not_stop_the_start(data):
    with server(data, throwaway=True) as running:
        mark = (running.data / "postmaster.pid").read_text()
    (running.data / "postmaster.pid").write_text(mark.replace(mark.splitlines()[0], str(os.getpid()), 1))
    with server(data, throwaway=True) as running:
        assert _query(running.dsn, "SELECT 1") == (1,)


def test_the_command_says_ready_and_stops_on_sigterm(data):
    port = free_port()
    with _start(data, port) as process:
        ready = present(process.stdout).readline()
        assert ready.startswith(f"ready postgresql://manifold:manifold@127.0.0.1:{port}/manifold")
        with _start(data, port) as second:
            _, errors = second.communicate(timeout=20)
            assert second.returncode == 1
            assert errors == f"Port {port} is in use. Stop what uses it or pass --port.\n"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "database system is shut down" in errors


def test_killing_the_command_leaves_no_server_behind(data):
    with _start(data, free_port()) as process:
        assert present(process.stdout).readline().startswith("ready")
        postmaster = psutil.Process(process.pid).children()[0]
        process.kill()
        process.communicate(timeout=20)
    postmaster.wait(timeout=20)
    assert not postmaster.is_running()


def test_programs_out_of_reach_run_from_a_copy(data, monkeypatch):
    """As in a checkout below /root, which the server's user cannot walk into."""
    monkeypatch.setattr("local.postgres.account.STATE", data.parent / "state")

    class Shut(Account):
        def reaches(self, path):
            return path.is_relative_to(data.parent)

    monkeypatch.setattr("local.postgres.caller_account", lambda: Shut(*vars(caller_account()).values()))
    for _ in range(2):
        with server(data, throwaway=True) as running:
            assert _query(running.dsn, "SELECT '[1]'::vector <-> '[3]'::vector") == (2.0,)
            assert psutil.Process(running.process.pid).exe().startswith(str(data.parent / "state" / "programs-"))
    assert len(list((data.parent / "state").iterdir())) == 1


def test_a_folder_with_other_things_in_it_is_left_alone(data):
    data.mkdir()
    (data / "letter.txt").write_text("mine")
    with pytest.raises(PostgresError, match="neither empty nor a PostgreSQL data folder"), server(data):
        pass
    assert (data / "letter.txt").read_text() == "mine"


def test_the_data_of_another_user_is_left_alone(data, monkeypatch):
    with server(data, throwaway=True):
        pass
    monkeypatch.setattr(Account, "owner", 12345)
    message = f"{data} belongs to user {data.stat().st_uid}. Start it as the user who made it"
    with pytest.raises(PostgresError, match=re.escape(message)), server(data, throwaway=True):
        pass


def test_only_the_data_folder_changes_hands(data):
    before = {folder: folder.stat() for folder in data.parents}
    with server(data, throwaway=True) as running:
        assert running.data == data
        assert data.stat().st_uid == caller_account().owner
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for folder, was in before.items():
        now = folder.stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)


def test_data_in_a_closed_folder_works_and_ends_with_its_name(data, tmp_path, monkeypatch):
    """Under root the server cannot walk into the folder, so the data lies elsewhere and is linked from there."""
    data.parent.chmod(0o755)
    monkeypatch.setattr("local.postgres.account.STATE", data.parent / "state")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with server(closed / "postgres", throwaway=True) as running:
        assert running.data.is_relative_to(closed if os.geteuid() else data.parent / "state")
        assert (closed / "postgres").resolve() == running.data
        _query(running.dsn, "CREATE TABLE kept (id int)")
    with server(closed / "postgres", throwaway=True) as running:
        assert _query(running.dsn, "SELECT count(*) FROM kept") == (0,)
    subprocess.run(["rm", "-rf", str(closed / "postgres")], check=True)  # what `make clean` does
    with server(closed / "postgres", throwaway=True) as running:
        assert _query(running.dsn, "SELECT to_regclass('kept')") == (None,)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
