"""A watermark that stands still is mailed about once a day."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.diamonds.reporting import watch
from shared.diamonds.runs import watermark
from tests.fresh_settings import forget_settings

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


@pytest.fixture
def _marks(storage, monkeypatch):
    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    forget_settings()


@pytest.mark.usefixtures("_marks")
async def test_a_watermark_that_stands_still_is_told_once_a_day(mails):
    now = datetime.now(UTC)
    await watermark.advance("nivoda", uuid4(), now - timedelta(hours=49))
    await watermark.advance("brilliant", uuid4(), now - timedelta(hours=47))
    for _ in range(2):
        assert await watch.watermarks(["nivoda", "brilliant"], timedelta(hours=48)) == ["nivoda"]
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the watermark stands still"


@pytest.mark.usefixtures("_marks")
async def test_a_feed_that_never_completed_counts_from_its_first_run(diamonds, mails):
    assert await watch.watermarks(["nivoda"], 2 * DAY) == [], "a new app has nothing to tell"
    await diamonds.begin(0, 10)
    assert await watch.watermarks(["nivoda"], 2 * DAY) == []
    await diamonds.fetch("update diamonds.run_metadata set started_at = started_at - interval '3 days' returning 1")
    assert await watch.watermarks(["nivoda"], 2 * DAY) == ["nivoda"]
    assert len(mails.mails(10)) == 1
