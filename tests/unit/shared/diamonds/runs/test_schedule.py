"""When the timer fires next."""

from datetime import UTC, datetime

import pytest

from shared.diamonds.runs.schedule import next_nightly


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-30T01:59:59.999", "2026-11-30T02:00"),
        ("2026-11-30T02:00:00", "2026-12-01T02:00"),
        ("2026-12-31T23:00:00", "2027-01-01T02:00"),
    ],
)
def test_the_next_nightly_run(now, due):
    assert next_nightly(datetime.fromisoformat(now).replace(tzinfo=UTC)) == datetime.fromisoformat(due).replace(
        tzinfo=UTC
    )
