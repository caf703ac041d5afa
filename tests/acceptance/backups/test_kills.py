"""Backups on a running host: killed with -9 in the midst of taking and of verifying one, and of a restore."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from shared.platform.stores import migrate
from tests.acceptance.forked_host import ForkedHost
from tests.acceptance.services import services_of_its_own

ROOT = Path(__file__).parents[3]
KEY = "acceptance"
PAPERS = 20_000


@pytest.fixture
def settings(migrated_dsn: str, storage_connection: str) -> Generator[dict[str, str]]:
    """A filled database, a container and databases of its own."""
    token = uuid4().hex[:8]
    with psycopg.connect(migrated_dsn) as connection:
        connection.execute(
            "insert into papers.papers (source, source_id, title, abstract, content_hash) select 'arxiv', 'id-' || n,"
            " 'Title ' || n, md5(n::text) || repeat(md5((n + 1)::text), n %% 60), sha256(n::text::bytea)"
            " from generate_series(1, %s) n",
            (PAPERS,),
        )
    yield {
        "ADMIN_API_KEY": KEY,
        "POSTGRES_DSN": migrated_dsn,
        "STORAGE_CONNECTION": storage_connection,
        "AzureWebJobsStorage": storage_connection,
        "BACKUPS_CONTAINER": f"backups-{token}",
        "BACKUPS_SCRATCH_DATABASE": f"scratch_{token}",
        "AzureWebJobs.operations_minute.Disabled": "true",  # nobody else writes: the papers would get their vectors
    }
    with psycopg.connect(conninfo.make_conninfo(migrated_dsn, dbname="postgres"), autocommit=True) as admin:
        for name in (f"scratch_{token}", f"restored_{token}"):
            admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))


@contextmanager
def running(settings: dict[str, str], folder: Path) -> Generator[ForkedHost]:
    with (
        services_of_its_own(folder / "local") as (_, own),
        ForkedHost(ROOT, folder / "host", environment=own | settings) as host,
    ):
        yield host


def ask(host: ForkedHost, method: str, path: str, body: Any = None) -> Any:
    answer = host.request(method, path, body, headers={"X-Admin-Key": KEY}, timeout=60)
    assert answer.status < 300, (answer.status, answer.body)
    return answer.json()


def backed_up(host: ForkedHost, *, kills: int = 0, verify: bool = True) -> Any:
    """A backup that was asked for, once it has ended; the host is killed meanwhile, each time after it came further."""
    at = ask(host, "POST", "/ops/backups", {"verify": verify})["location"]
    deadline, seen = time.monotonic() + 180, None
    while (run := ask(host, "GET", at))["status"] not in ("Completed", "Failed", "Terminated"):
        assert time.monotonic() < deadline, (run, host.output[-30:])
        stands = (run["progress"] or {}).get("phase"), len(run.get("steps") or [])
        if kills and stands != seen and stands[0]:
            assert "back_up" in host.restart_by_kill()
            kills -= 1
        seen = stands
        time.sleep(0.1)
    assert run["status"] == "Completed", run
    assert kills == 0, "it ended before it was killed as often"
    return run["output"]


def test_a_backup_survives_kills_and_holds_everything(settings: dict[str, str], tmp_path: Path) -> None:
    with running(settings | {"BACKUPS_BOX_SECONDS": "1"}, tmp_path) as host:
        first = backed_up(host, kills=3)
        assert first["verified"] is True
        assert first["rows"] >= PAPERS
        again = backed_up(host, verify=False)
        assert (again["verified"], again["rows"]) == (None, first["rows"])
        assert again["new_bytes"] < first["new_bytes"] / 100
        listed = ask(host, "GET", "/ops/backups?limit=1")
        assert [one["id"] for one in listed["data"]] == [again["id"]]
        following = ask(host, "GET", f"/ops/backups?limit=1&cursor={listed['pagination']['next']}")
        assert [(one["id"], one["verified"]) for one in following["data"]] == [(first["id"], True)]


def test_an_hour_s_backup_does_not_wait_for_one_that_is_verified(settings: dict[str, str], tmp_path: Path) -> None:
    scratch = settings["BACKUPS_SCRATCH_DATABASE"]
    with psycopg.connect(conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(scratch)))
    held = psycopg.connect(conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname=scratch), autocommit=True)
    with running(settings, tmp_path) as host:
        with held:  # a verification that lasts: it waits for the lock of whoever migrates the scratch database
            held.execute("select pg_advisory_lock(%s)", (migrate._LOCK,))
            at = ask(host, "POST", "/ops/backups", {"verify": True})["location"]
            deadline = time.monotonic() + 60
            while (ask(host, "GET", at)["progress"] or {}).get("phase") != "verifying":
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert backed_up(host, verify=False)["verified"] is None
            again = host.request("POST", "/ops/backups", {"verify": True}, headers={"X-Admin-Key": KEY}, timeout=60)
            assert again.status == 409
            assert ask(host, "GET", at)["status"] == "Running"
        while (run := ask(host, "GET", at))["status"] == "Running":
            assert time.monotonic() < deadline + 60
            time.sleep(0.1)
        assert run["output"]["verified"] is True, run
        assert [one["verified"] for one in ask(host, "GET", "/ops/backups")["data"]] == [None, True]


def test_a_restore_survives_kills(settings: dict[str, str], tmp_path: Path) -> None:
    with running(settings, tmp_path) as host:
        backed_up(host, verify=False)
    name = settings["BACKUPS_SCRATCH_DATABASE"].replace("scratch", "restored")
    with psycopg.connect(conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    target = conninfo.make_conninfo(settings["POSTGRES_DSN"], dbname=name)
    environment = {**os.environ, **settings, "POSTGRES_DSN": target}
    command = [sys.executable, "-m", "shared.backups"]
    for line in ("metadata, text", "their keys", "statistics"):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for said in process.stdout:
            if line in said:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "tables hold what the backup says" in done.stdout
    with psycopg.connect(target) as connection:
        assert connection.execute("select count(*) from papers.papers").fetchone() == (PAPERS,)
