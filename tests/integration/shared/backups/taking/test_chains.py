"""When a chain begins anew."""

from datetime import timedelta

from shared.backups.blobs.names import TIME
from shared.backups.taking.chains import chain_for
from tests.integration.shared.backups.conftest import NOON, kept


async def test_a_chain_lasts_a_week(filled):
    assert await chain_for(NOON) == "20261130T120500Z"
    first = NOON - timedelta(days=6)
    await kept(first, first.strftime(TIME))
    await kept(NOON - timedelta(hours=1), first.strftime(TIME))
    assert await chain_for(NOON) == first.strftime(TIME)
    assert await chain_for(NOON + timedelta(days=2)) == "20261202T120500Z"
