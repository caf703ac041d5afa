"""One server for all workers of a test run, gone when the run has ended."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[4]

SUITE = """
import os, pathlib
import psutil, psycopg, pytest

@pytest.mark.parametrize("number", range(6))
def test_a_database_of_its_own(number, database):
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE mine (id int)")
        server = psutil.Process(connection.info.backend_pid).ppid()
    pathlib.Path(os.environ["SERVERS"], str(os.getpid())).write_text(str(server))
"""


def test_workers_share_one_server_that_ends_with_the_run(tmp_path):
    servers = tmp_path / "servers"
    servers.mkdir()
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["local.postgres.testing"]\n')
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "--basetemp", tmp_path / "base"]
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SERVERS": str(servers)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "6 passed" in done.stdout, done.stdout
    (server,) = {int(path.read_text()) for path in servers.iterdir()}
    assert not psutil.pid_exists(server)
