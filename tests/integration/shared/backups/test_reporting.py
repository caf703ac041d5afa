"""How backups are listed, and when people are told that they are late."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.backups import reporting
from shared.backups.blobs.manifests import write_verdict
from shared.backups.blobs.names import BackupName
from shared.backups.models import Verdict
from shared.backups.settings import settings
from shared.backups.taking.chains import chain_for
from shared.platform.errors import NotFound
from shared.platform.stores.blobs import blob_service
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import CHAIN, NOON, kept
from tests.present import present


async def test_backups_are_listed_by_pages_with_their_verdicts(filled):
    ids = [await kept(NOON + timedelta(hours=n), "20261130T120500Z") for n in range(3)]
    await write_verdict(ids[1], Verdict(verdict="different", tables=1, rows=1, differences=["a: other values"]))
    await write_verdict(ids[1], Verdict(verdict="same", tables=1, rows=1))
    await write_verdict(ids[0], Verdict(verdict="different", tables=1, rows=1, differences=["a: other values"]))
    assert [(one.id, one.verified) for one in await reporting.list_backups(2, None)] == [
        (ids[2], None),
        (ids[1], True),
    ]
    assert [(one.id, one.verified) for one in await reporting.list_backups(2, ids[1])] == [(ids[0], False)]
    with pytest.raises(NotFound, match="was deleted meanwhile"):
        await reporting.describe(BackupName("20200101T000000Z", CHAIN))


@pytest.mark.parametrize("case", [(1.9, "true", 0), (2.1, "true", 1), (2.1, "false", 0)])
async def test_a_late_backup_is_told_once_where_they_are_hourly(filled, mails, monkeypatch, case):
    hours, hourly, told = case
    monkeypatch.setenv("BACKUPS_HOURLY", hourly)
    forget_settings()
    await reporting.watch_age(NOON)  # before the first backup there is nothing to be late
    await kept(NOON - timedelta(hours=hours), CHAIN)
    await reporting.watch_age(NOON)
    await reporting.watch_age(NOON)
    assert len(mails.mails(10)) == told


async def test_where_no_backup_ever_succeeded_people_are_told(filled, mails, monkeypatch):
    monkeypatch.setenv("BACKUPS_HOURLY", "true")
    forget_settings()
    await reporting.watch_age(datetime.now(UTC) + timedelta(hours=1))
    assert mails.mails(10) == []
    await reporting.watch_age(datetime.now(UTC) + timedelta(hours=3))
    [mail] = mails.mails(10)
    assert "There is no backup since" in mail.text


async def test_a_damaged_backup_is_listed_beside_the_others(filled):
    whole, damaged = await kept(NOON, CHAIN), await kept(NOON + timedelta(hours=1), CHAIN)
    blob = blob_service().get_blob_client(settings().backups_container, f"manifests/{CHAIN}/{damaged}.json")
    await blob.upload_blob(b"{}", overwrite=True)
    first, second = await reporting.list_backups(5, None)
    assert (first.id, first.verified, second.id, second.problem) == (damaged, False, whole, None)
    assert "is damaged: it cannot be read" in present(first.problem)


async def test_a_verdict_that_cannot_be_read_counts_as_none(filled):
    backup = await kept(NOON, CHAIN)
    for damaged in (b"{", b"\xff", b'{"verdict": "perhaps"}', b"[]"):
        blob = blob_service().get_blob_client(settings().backups_container, f"verdicts/{backup}.json")
        await blob.upload_blob(damaged, overwrite=True)
        assert [one.verified for one in await reporting.list_backups(5, None)] == [None]
        assert await chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == CHAIN
    await write_verdict(backup, Verdict(verdict="same", tables=1, rows=1))
    assert [one.verified for one in await reporting.list_backups(5, None)] == [True]
