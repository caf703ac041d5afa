"""Failed rows are tried again at once where the feed's last run was consolidated, and else with the next."""

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import RunStatus
from shared.platform.errors import NotFound
from tests.hostless import Hostless
from triggers.diamonds.failed_rows import (
    FailedRowsQuery,
    RequeueRequest,
    StoneQuery,
    diamonds_failed_rows,
    diamonds_requeue_failed,
    diamonds_stone,
)


class Client(Hostless):
    """A host on which nothing works on the feed, or something does."""

    def __init__(self, *, idle=True):
        self.idle = idle
        self.started = []

    async def start_if_idle(self, orchestration, task, *, instance_id, past_due=False):
        self.started.append((instance_id, task.feed))
        return self.idle


@pytest.fixture
async def run(migrated, diamonds):
    """A run that has read three stones, of which two failed."""
    shop = diamonds.Shop()
    shop.offer(diamonds.stone("a", carats=None), diamonds.stone("b", shape=""), diamonds.stone("c"))
    begun = await diamonds.begin(0, 1000)
    await copy_pages(shop, begun.task())
    work = ConsolidateRows(run_id=begun.plan.run_id, feed="nivoda", worker="w", seconds=60)
    assert (await consolidate(work, NIVODA, "cents")).failed == 2
    return begun.plan.run_id


async def test_they_are_listed_by_pages_with_how_many_failed_for_what(run):
    first = await diamonds_failed_rows(FailedRowsQuery(limit=1))
    last = await diamonds_failed_rows(FailedRowsQuery(limit=2, cursor=str(first.pagination.next)))
    assert [row.supplier_stone_id for row in first.data + last.data] == ["a", "b"]
    assert (first.pagination.next, last.pagination.next) == ("a", None)
    assert last.by_field == {"carats": 1, "shape": 1}


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED])
async def test_only_after_a_run_that_was_consolidated_they_are_priced_at_once(run, status):
    await lifecycle.finish_run(run, status)
    client = Client()
    answer = await diamonds_requeue_failed(RequeueRequest(), client)
    at_once = status is RunStatus.COMPLETED
    assert (answer.requeued, answer.waiting) == (2, 2)
    assert answer.consolidation == ("started" if at_once else "in-the-next-run")
    assert client.started == ([("diamonds-nivoda", "nivoda")] if at_once else [])


async def test_while_a_run_is_at_work_it_prices_them(run):
    client = Client(idle=False)
    answer = await diamonds_requeue_failed(RequeueRequest(supplier_stone_id="a"), client)
    assert (answer.requeued, answer.consolidation, client.started) == (1, "in-the-run-at-work", [])
    await lifecycle.finish_run(run, RunStatus.COMPLETED)
    assert (await diamonds_requeue_failed(RequeueRequest(), client)).consolidation == "in-the-run-at-work"
    assert len(client.started) == 1, "something began in between"


async def test_a_feed_that_does_not_exist_is_not_found(migrated):
    for step in (
        diamonds_failed_rows(FailedRowsQuery(feed="rapnet")),
        diamonds_stone(StoneQuery(feed="rapnet", supplier_stone_id="a")),
        diamonds_requeue_failed(RequeueRequest(feed="rapnet"), Client()),
    ):
        with pytest.raises(NotFound, match="no feed named"):
            await step
