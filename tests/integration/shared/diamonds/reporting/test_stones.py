"""One stone of a supplier: what was sent, and what became of it."""

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.reporting.stones import read_stone
from shared.platform.errors import NotFound
from tests.present import present


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def read(diamonds, shop, *stones):
    """Read the stones in a run of their own, and consolidate."""
    shop.offer(*stones)
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    await consolidate(ConsolidateRows(run_id=run.plan.run_id, feed="nivoda", worker="w", seconds=60), NIVODA, "cents")
    return run


async def test_one_stone_is_shown_with_what_was_sent_and_what_became_of_it(diamonds, shop):
    broken = diamonds.stone("s/0 é", carats=None)
    broken.payload["api_key"] = "s3cr3t"
    run = await read(diamonds, shop, broken, diamonds.stone("good"))
    failed = await read_stone("nivoda", "s/0 é")
    assert (present(failed.raw).status, present(failed.raw).reason, failed.offers) == ("failed", "carats: missing", [])
    assert present(failed.raw).run_id == run.plan.run_id
    assert present(failed.raw).payload == broken.payload | {"api_key": "***"}
    [offer] = (await read_stone("nivoda", "good")).offers
    assert (offer.supplier_stone_id, offer.status) == ("good", "active")
    with pytest.raises(NotFound):
        await read_stone("brilliant", "good")
