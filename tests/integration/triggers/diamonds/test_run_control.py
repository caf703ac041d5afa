"""A run can be cancelled from the moment at which its start was answered."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import EPOCH, NO_END, RunStatus, StartRun, Window
from shared.platform.errors import NotFound
from triggers.diamonds.run_control import CancelRequest, diamonds_cancel_run


class Client:
    """A host on which the feed's orchestration runs, or has ended; it has not come to its first step."""

    def __init__(self, *, finished):
        self.finished = finished
        self.looked = asyncio.Event()

    async def find(self, _):
        self.looked.set()
        return SimpleNamespace(state=SimpleNamespace(finished=self.finished), progress=None)


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
