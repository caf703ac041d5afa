"""A run that needs a person is mailed once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from local.smtp.sink import Sink
from shared.diamonds.reporting.alerts import announce
from shared.diamonds.runs.models import PartitionProgress, PartitionStatus, PriceRange, RunStatus, RunSummary

pytestmark = pytest.mark.usefixtures("migrated")


@pytest.mark.parametrize(
    ("status", "subject"),
    [
        (RunStatus.HELD, "[Manifold] nivoda: consolidation is held, 1 of 2 partitions failed"),
        (RunStatus.PARTIAL, "[Manifold] nivoda: 1 of 2 partitions failed"),
    ],
)
async def test_a_run_with_failures_is_announced_by_its_status(mails: Sink, status: RunStatus, subject: str):
    failed = PartitionProgress(
        partition_id="p001",
        prices=PriceRange(minimum=0, maximum=1),
        expected=1,
        records=0,
        status=PartitionStatus.FAILED,
        next_offset=0,
        sweep=0,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    run = RunSummary(
        run_id=uuid4(),
        feed="nivoda",
        run_type="full",
        status=status,
        partitions=2,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    await announce(run, [failed])
    await announce(run, [failed])
    assert [mail.subject for mail in mails.mails(10)] == [subject]
