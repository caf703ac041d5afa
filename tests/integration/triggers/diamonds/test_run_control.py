"""A run can be cancelled from the moment at which its start was answered."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import EPOCH, NO_END, RunStatus, StartRun, Window
from shared.platform.durable import Instance, RunState
from shared.platform.errors import NotFound
from tests.hostless import Hostless
from triggers.diamonds.run_control import CancelRequest, diamonds_cancel_run


class Client(Hostless):
    """A host on which the feed's orchestration runs, or has ended; it has not come to its first step."""

    def __init__(self, *, finished):
        self.finished = finished
        self.looked = asyncio.Event()

    async def find(self, instance_id, *, history=False):
        self.looked.set()
        state, now = RunState.COMPLETED if self.finished else RunState.RUNNING, datetime.now(UTC)
        return Instance(
            instanceId=instance_id, name="diamond_run", runtimeStatus=state, createdTime=now, lastUpdatedTime=now
        )


async def test_a_cancel_right_after_a_start_waits_for_the_first_step(migrated):
    run_id, client = uuid4(), Client(finished=False)
    cancelled = asyncio.create_task(diamonds_cancel_run(CancelRequest(run_id=run_id), client))
    await asyncio.wait_for(client.looked.wait(), 10)
    assert not cancelled.done()
    await lifecycle.claim_run(StartRun(run_id=run_id), Window(since=EPOCH, until=NO_END))
    assert (await asyncio.wait_for(cancelled, 10)).status is RunStatus.CANCELLED


async def test_a_run_that_nobody_began_is_unknown_at_once(migrated):
    with pytest.raises(NotFound):
        await asyncio.wait_for(diamonds_cancel_run(CancelRequest(run_id=uuid4()), Client(finished=True)), 2)
