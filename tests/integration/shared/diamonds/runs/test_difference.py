"""What a run would change is kept with it, and a run that is held keeps others from its rows."""

from uuid import uuid4

import pytest

from shared.diamonds.runs import difference, lifecycle
from shared.diamonds.runs.changes import PriceChange, RunDifference
from shared.diamonds.runs.models import RunStatus

WORST = PriceChange(supplier_stone_id="s1", before=100.0, after=250.0, factor=2.5)
CHANGE = RunDifference(
    rows=3, failed=0, contradicting=0, new=1, dearer=1, cheaper=0, jumped=1, unchanged=1, gone=None, offered=2,
    up=150.0, down=0.0, worst=[WORST],
)  # fmt: skip


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_the_last_difference_of_a_run_stands(diamonds):
    run_id = (await diamonds.begin(0, 10)).plan.run_id
    assert await difference.read(run_id) is None
    await difference.save(run_id, CHANGE)
    later = CHANGE.model_copy(update={"gone": 7, "worst": []})
    await difference.save(run_id, later)
    stored = await difference.read(run_id)
    assert stored
    assert stored.judged_at
    assert stored == later.model_copy(update={"judged_at": stored.judged_at})


async def test_only_a_running_run_is_held_and_its_rows_are_kept_from_all_but_itself(diamonds):
    held, ended = (await diamonds.begin(0, 10)).plan.run_id, (await diamonds.begin(0, 10, feed="second")).plan.run_id
    await lifecycle.finish_run(ended, RunStatus.COMPLETED)
    for run_id in (held, ended):
        await difference.withhold(run_id, "prices-jumped", "They rose.")
    assert await difference.withheld("nivoda", None) == [held]
    assert await difference.withheld("nivoda", held) == []
    assert await difference.withheld("second", None) == []


async def test_a_run_that_nobody_released_or_that_is_not_there_was_not_released(diamonds):
    run_id = (await diamonds.begin(0, 10)).plan.run_id
    assert not await difference.was_released(run_id)
    assert not await difference.was_released(uuid4())
    await diamonds.fetch("update diamonds.run_metadata set released = true returning 1")
    assert await difference.was_released(run_id)
