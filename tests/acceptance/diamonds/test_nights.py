"""What a night can bring: each time the run ends, people are told, and the next one can begin.

The host runs in this process, so that a test can move its clock past the waits between attempts.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from local.host.core.clock import ManualClock
from local.host.testing import InProcessHost
from local.killable import KillableService
from local.postgres import dsn
from local.processes import free_port
from shared.diamonds.ingestion.suppliers import nivoda
from shared.diamonds.runs import watermark
from shared.platform.errors import TransientError
from tests.acceptance.diamonds.conftest import ROOT, Running
from tests.acceptance.diamonds.test_operations import break_partitions, pauses
from tests.acceptance.services import services_of_its_own
from tests.conftest import migrate
from tests.fresh_settings import forget_settings
from tests.present import untyped

EVENING = datetime(2026, 1, 1, 1, 59, 30, tzinfo=UTC)


class Night(Running):
    """The app with a clock of its own."""

    host: Any

    async def pass_(self, **duration: float) -> None:
        await asyncio.to_thread(self.host.advance, timeout=120, **duration)

    async def call(self, timer: str, instance: str) -> None:
        """Run a timer's function now, and wait until what it has started is done."""
        before = self._ended(timer)
        await asyncio.to_thread(self.host.call, timer)
        self.until(lambda: bool(self._ended(timer) - before))
        await asyncio.to_thread(self.host.wait_for, instance)

    def _ended(self, function: str) -> set[str]:
        return {one.id for one in self.host.invocations if one.function == function and one.duration_ms is not None}

    def last_run(self) -> dict[str, Any]:
        return self.ask("GET", "/api/v2/analytics/runs?limit=1")["data"][0]

    def instances(self) -> dict[str, str]:
        return {one["id"]: one["status"] for one in self.ask("GET", "/ops/runs?limit=100")["data"]}

    def durable(self, method: str, path: str) -> int:
        """Ask the host's own management API, as somebody would who goes around the app."""
        return self.host.request(method, f"/runtime/webhooks/durabletask/instances/{path}").status


@pytest.fixture
def night(tmp_path: Path, shared: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    @asynccontextmanager
    async def begin(*supplier: str, at: datetime = EVENING, **changes: str) -> AsyncGenerator[Night]:
        monkeypatch.setattr(nivoda, "RETRY_SECONDS", 1)
        with services_of_its_own(tmp_path / "local", *supplier) as (ports, own):
            known = own | shared | changes
            for name, value in known.items():
                monkeypatch.setenv(name, value)
            forget_settings()
            with InProcessHost(ROOT, clock=ManualClock(at), data=tmp_path / "host") as host:
                yield Night(known, ports, untyped(host))
        forget_settings()

    return begin


async def test_a_night_without_the_supplier_is_told_and_the_next_one_reads_what_it_missed(night: Any) -> None:
    async with night("--diamonds", "800") as app:
        app.control("faults", {"faults": {"server_error": {"probability": 1}}})
        await app.pass_(minutes=10)
        run = app.last_run()
        assert (run["status"], run["error_code"], run["watermark_after"]) == ("failed", "supplier-unavailable", None)
        assert "answered 500" in run["error"]
        (mail,) = app.mails()
        assert mail["subject"] == "[Manifold] nivoda: the run failed"
        assert "/api/v2/triggers/scheduler" in mail["text"]

        app.control("faults", {"faults": {}})
        await app.call("diamonds_nightly", "diamonds-nivoda")
        run = app.last_run()
        assert (run["status"], run["ingested"], run["consolidated"]) == ("completed", 800, 800)
        assert run["watermark_after"]


async def test_a_watermark_that_cannot_be_written_fails_the_run_and_consolidating_again_writes_it(
    night: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise TransientError("The storage account did not answer.", code="blobs-unavailable")

    async with night("--diamonds", "300") as app:
        write = watermark.write_blob
        monkeypatch.setattr(watermark, "write_blob", away)
        await app.pass_(minutes=5)
        run = app.last_run()
        assert (run["status"], run["consolidated"], run["watermark_after"]) == ("failed", 300, None)
        assert "did not answer" in run["error"]
        assert [mail["subject"] for mail in app.mails()] == ["[Manifold] nivoda: the run failed"]

        monkeypatch.setattr(watermark, "write_blob", write)
        app.ask("POST", "/api/v2/triggers/consolidate", {"run_id": run["run_id"], "force": True}, status=202)
        app.until(lambda: app.last_run()["status"] == "completed")
        assert app.last_run()["watermark_after"]


async def test_a_run_that_was_stopped_from_outside_makes_way_for_the_next_at_once(night: Any) -> None:
    async with night("--diamonds", "2500", "--latency-ms", "150") as app:
        first = app.start("full")
        app.until(lambda: app.rows("select count(*) from diamonds.raw_diamonds") != [(0,)])
        assert app.durable("POST", "diamonds-nivoda/terminate?reason=testing") == 202
        app.until(lambda: app.ask("GET", "/ops/runs/diamonds-nivoda")["status"] == "Terminated")
        assert app.last_run()["status"] == "running", "nobody has told its row"

        second = app.start("full")
        assert app.wait(second)["run"]["status"] == "completed"
        lost = app.wait(first)["run"]
        assert (lost["status"], lost["error_code"]) == ("failed", "run-lost")
        assert [mail["subject"] for mail in app.mails()] == ["[Manifold] nivoda: the run failed"]


async def test_a_run_whose_orchestration_was_purged_is_ended_within_the_hour_and_can_be_taken_up(night: Any) -> None:
    async with night("--diamonds", "2500", "--latency-ms", "150") as app:
        run = app.start("full")
        app.until(lambda: app.rows("select count(*) from diamonds.raw_diamonds") != [(0,)])
        await app.call("diamonds_hourly", "diamonds-watch")
        assert app.last_run()["status"] == "running", "somebody works on it"
        assert app.durable("POST", "diamonds-nivoda/terminate?reason=testing") == 202
        app.until(lambda: app.durable("DELETE", "diamonds-nivoda") == 200)

        await app.call("diamonds_hourly", "diamonds-watch")
        lost = app.wait(run)["run"]
        assert (lost["status"], lost["error_code"]) == ("failed", "run-lost")
        assert [mail["subject"] for mail in app.mails()] == ["[Manifold] nivoda: the run failed"]
        # Its partitions' orchestrations outlive it for seconds; taken up at once, they would go on reading beside.
        app.until(lambda: not {"Running", "Pending"} & set(app.instances().values()))
        app.ask("POST", "/api/v2/triggers/consolidate", {"run_id": run, "force": True}, status=202)
        app.until(lambda: app.last_run()["status"] == "partial")
        taken_up = app.last_run()
        assert (taken_up["pending"], taken_up["consolidated"]) == (0, taken_up["ingested"])


@pytest.fixture
def own_database() -> Generator[tuple[KillableService, str]]:
    """A server for one test, which takes it away, and the DSN of its database."""
    port = free_port()
    # Not below pytest's own folder: only its owner can walk that one.
    with TemporaryDirectory(prefix="manifold-postgres-") as data:
        server = KillableService(["local.postgres", "--port", port, "--data", data])
        where = Path(server.start().strip().partition(" data ")[2])
        try:
            migrate(dsn(port))
            yield server, dsn(port)
        finally:
            server.stop()
            shutil.rmtree(where, ignore_errors=True)


async def test_a_database_that_is_away_for_a_while_costs_time_and_no_diamond(
    night: Any, own_database: tuple[KillableService, str]
) -> None:
    server, address = own_database
    async with night("--diamonds", "2500", "--latency-ms", "150", POSTGRES_DSN=address) as app:
        run = app.start("full")
        app.until(lambda: app.rows("select count(*) from diamonds.raw_diamonds") != [(0,)])
        await asyncio.to_thread(server.stop)
        app.until(lambda: "postgres-unavailable" in app.host.log)
        await asyncio.to_thread(server.start)
        await app.pass_(minutes=2)
        ended = app.wait(run)["run"]
        assert (ended["status"], ended["ingested"], ended["consolidated"]) == ("completed", 2500, 2500)
        assert app.mails() == []


async def test_the_purge_forgets_old_orchestrations_that_have_finished_and_no_other(night: Any) -> None:
    now = datetime.now(UTC)
    settings_ = {"INSTANCE_RETENTION_DAYS": "1", "PARTIAL_SHARE": "0.01", "PARTIAL_WAIT_SECONDS": "86400"}
    async with night("--diamonds", "2500", at=now - timedelta(hours=24.5), **settings_) as app:
        break_partitions(app)
        run = app.start("full")
        app.until(lambda: pauses(app))
        await asyncio.to_thread(app.host.settle)
        before = app.instances()
        assert [name for name, status in before.items() if status == "Running"] == ["diamonds-nivoda"]
        assert len(before) > 2, "its partitions are orchestrations, too"

        # Less than a day later everything is due that has a timer: the purge, and the hourly look at the feeds.
        app.host.host.clock.move_to(now - timedelta(minutes=33))
        await asyncio.to_thread(app.host.settle, 60)
        after = app.instances()
        assert {name: after.get(name) for name in before} == dict.fromkeys(before) | {"diamonds-nivoda": "Running"}
        assert after["diamonds-watch"] == "Completed", "it is young"

        app.ask("POST", "/api/v2/triggers/consolidate", {"run_id": run, "force": True}, status=202)
        assert app.wait(run)["run"]["status"] == "partial", "what runs is whole"
