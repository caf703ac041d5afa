"""The steps of a run at the real database, with a supplier that does what a test wants."""

from datetime import timedelta
from uuid import uuid4

import pytest

from activities.diamonds import ingestion
from activities.diamonds import runs as steps
from shared.diamonds.runs import lifecycle, watermark
from shared.diamonds.runs.models import (
    EPOCH,
    NO_END,
    Partition,
    Partitions,
    PriceRange,
    RunRef,
    RunStatus,
    StartRun,
    Window,
)
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.activities.diamonds.conftest import Supplier
from tests.present import present


@pytest.mark.parametrize(("read", "decision"), [(10, "go"), (7, "wait"), (6, "hold"), (0, "hold")])
async def test_rule_consolidation_starts_by_itself_from_70_percent_of_the_partitions_on(plan, read, decision):
    shares = [
        Partition(partition_id=f"p{n:03}", prices=PriceRange(minimum=n, maximum=n + 1), expected=1) for n in range(10)
    ]
    await lifecycle.save_partitions(plan.run_id, Partitions(total=10, partitions=shares, counts_asked=0))
    async with database() as connection:
        await connection.execute(
            "update diamonds.worker_runs set status = case when partition_id < %s then 'completed' else 'failed' end",
            (f"p{read:03}",),
        )
    verdict = await steps.judge_run(RunRef(run_id=plan.run_id))
    assert (verdict.decision, verdict.complete, verdict.unread) == (decision, decision == "go", 10 - read)
    assert verdict.wait_seconds == (300 if decision == "wait" else 0)


async def test_rule_the_watermark_reaches_15_minutes_back_before_the_runs_start(plan, marks):
    moved = await steps.advance_watermark(plan)
    assert moved.watermark == plan.started_at - timedelta(minutes=15)
    assert present(await watermark.read("nivoda")).last_updated_at == moved.watermark


async def test_rule_an_incremental_run_reads_from_the_watermark_to_its_start_and_a_full_one_everything(plan, marks):
    await steps.advance_watermark(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    following = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="incremental"))
    assert following.window == Window(since=plan.started_at - timedelta(minutes=15), until=following.started_at)
    await lifecycle.finish_run(following.run_id, RunStatus.COMPLETED)
    whole = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="full"))
    assert whole.window == Window(since=EPOCH, until=NO_END)
    assert EPOCH.year == 2000


async def test_rule_max_scheduler_records_caps_a_run_which_then_concludes_nothing(
    migrated, marks, supplied, monkeypatch
):
    monkeypatch.setenv("MAX_SCHEDULER_RECORDS", "3")
    forget_settings()
    supplied(Supplier([100, 200, 300, 400, 500]))
    capped = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="full"))
    drawn = await ingestion.draw_heatmap(capped)
    assert (drawn.total, drawn.partitions[-1].prices.maximum) == (3, 400)
    assert (await steps.judge_run(RunRef(run_id=capped.run_id))).capped
