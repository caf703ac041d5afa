"""An orphaned run is ended, and can be taken up again."""

from uuid import uuid4

import pytest

from shared.diamonds.runs import orphans, reports, retries
from shared.diamonds.runs.models import RunStatus


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_an_orphaned_run_can_be_taken_up_again(diamonds):
    run = await diamonds.begin(0, 1000)
    await orphans.end(run.plan.run_id)
    assert (await retries.resume_run(run.plan.run_id, uuid4())).run_id == run.plan.run_id
    assert (await reports.summary(run.plan.run_id)).status is RunStatus.RUNNING
