"""The hourly timer: what keeps a backup from its start keeps nobody from being told that it is late."""

from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest

from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import kept
from triggers.backups import taking


@pytest.fixture
def _hourly(migrated, storage, monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", migrated)
    monkeypatch.setenv("BACKUPS_CONTAINER", f"backups-{uuid4().hex[:8]}")
    monkeypatch.setenv("BACKUPS_HOURLY", "true")
    forget_settings()


@pytest.mark.usefixtures("_hourly")
async def test_people_are_told_of_a_late_backup_also_where_the_next_one_cannot_be_started(mails):
    taken = datetime.now(UTC) - timedelta(hours=3)
    await kept(taken, "20261101T000000Z")
    client = AsyncMock()
    client.start_if_idle.side_effect = TransientError("no host", code="durable-unavailable")
    with pytest.raises(TransientError):
        await taking._hourly(client, past_due=False)
    [mail] = mails.mails(10)
    assert f"There is no backup since {taken:%Y-%m-%d %H:%M} UTC" in mail.text
