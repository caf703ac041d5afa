"""Two hosts, each with a task hub of its own, on one database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.acceptance.diamonds.conftest import KEY, ROOT
from tests.acceptance.forked_host import ForkedHost


def post(host: ForkedHost, path: str, body: dict[str, Any]) -> Any:
    return host.request("POST", path, body, headers={"X-Admin-Key": KEY}, timeout=60)


def looked_after(host: ForkedHost) -> bool:
    """Whether the hourly look at the feeds has ended."""
    watch = host.request("GET", "/runtime/webhooks/durabletask/instances/diamonds-watch")
    return watch.status == 200 and watch.json()["runtimeStatus"] == "Completed"


async def test_no_host_ends_the_run_of_another(running: Any, tmp_path: Path) -> None:
    async with running("--diamonds", "3000", "--latency-ms", "300") as app:
        run = app.start("full")
        app.until(lambda: app.rows("select 1 from diamonds.worker_runs where status = 'running'") != [])
        with ForkedHost(ROOT, tmp_path / "second", environment=app.settings) as second:
            refused = post(second, "/api/v2/triggers/scheduler", {"run_type": "incremental"})
            assert (refused.status, refused.json()["code"]) == (409, "run-in-progress")
            assert second.request("POST", "/admin/functions/diamonds_hourly", {"input": ""}).status == 202
            app.until(lambda: looked_after(second))
            assert app.rows("select status from diamonds.run_metadata") == [("running",)]
            # Its own host goes on with it, and ends it; then the other one may read the feed.
            ended = app.wait(run)["run"]
            assert (ended["status"], ended["consolidated"]) == ("completed", 3000)
            started = post(second, "/api/v2/triggers/scheduler", {"run_type": "incremental"})
            assert started.status == 202
            assert app.wait(started.json()["run_id"])["run"]["status"] == "completed"
            [hubs] = app.rows("select count(distinct hub) from diamonds.run_metadata where hub is not null")
            assert hubs == (2,)


async def test_a_host_ends_its_own_orphan_still(running: Any) -> None:
    async with running("--diamonds", "3000", "--latency-ms", "1000") as app:
        run = app.start("full")
        app.until(lambda: app.rows("select 1 from diamonds.worker_runs") != [])
        ended = "/runtime/webhooks/durabletask/instances/diamonds-nivoda/terminate?reason=test"
        assert app.host.request("POST", ended).status == 202
        app.until(
            lambda: app.host.request("GET", "/runtime/webhooks/durabletask/instances/diamonds-nivoda").status == 200
        )
        assert app.host.request("POST", "/admin/functions/diamonds_hourly", {"input": ""}).status == 202
        found = app.wait(run)["run"]
        assert (found["status"], found["error_code"]) == ("failed", "run-lost")
