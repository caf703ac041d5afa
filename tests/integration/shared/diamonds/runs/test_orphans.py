"""An orphaned run is ended, and can be taken up again."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.diamonds.runs import orphans, reports, retries
from shared.diamonds.runs.models import RunStatus
from shared.platform.stores.postgres import database


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_an_orphaned_run_can_be_taken_up_again(diamonds):
    run = await diamonds.begin(0, 1000)
    await orphans.end(run.plan.run_id)
    assert (await retries.resume_run(run.plan.run_id, uuid4())).run_id == run.plan.run_id
    assert (await reports.summary(run.plan.run_id)).status is RunStatus.RUNNING


async def age(hours):
    """Let everything of all runs have happened so long ago."""
    past = (timedelta(hours=hours),)
    async with database() as connection:
        await connection.execute("update diamonds.run_metadata set started_at = now() - %s", past)
        await connection.execute("update diamonds.partition_progress set updated_at = now() - %s", past)
        await connection.execute("update diamonds.worker_runs set started_at = now() - %s", past)


async def test_a_run_of_another_hub_is_left_to_it_until_nothing_has_moved_for_two_days(diamonds):
    run = await diamonds.begin(0, 1000)
    mine, other = uuid4(), uuid4()
    await orphans.adopt(run.plan.run_id, other)
    running = (await orphans.running())["nivoda"]
    assert (running.hub, running.of_others(mine), running.of_others(other)) == (other, True, False)
    await age(47)
    assert (await orphans.running())["nivoda"].of_others(mine)
    await age(49)
    assert not (await orphans.running())["nivoda"].of_others(mine)
    async with database() as connection:
        await connection.execute("update diamonds.partition_progress set updated_at = now()")
    assert (await orphans.running())["nivoda"].of_others(mine)


async def test_a_run_that_was_claimed_before_hubs_had_names_is_anybodys(diamonds):
    await diamonds.begin(0, 1000)
    assert not (await orphans.running())["nivoda"].of_others(uuid4())
