"""When a chain begins anew, and when people are told that backups are late."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.backups import reporting
from shared.backups.files import write_manifest, write_verdict
from shared.backups.models import Manifest, Verdict
from shared.backups.settings import settings
from shared.backups.taking import TIME, chain_for
from shared.platform.errors import NotFound
from shared.platform.settings import forget_settings
from shared.platform.stores.blobs import blob_service
from tests.present import present

NOW = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)


async def kept(taken, chain):
    """A backup of an empty database that was taken then."""
    manifest = Manifest(
        id=taken.strftime(TIME),
        chain=chain,
        taken_at=taken,
        database="d",
        server_version="PostgreSQL",
        migrations=[],
        tables=[],
        sequences=[],
    )
    await write_manifest(manifest)
    return manifest.id


async def test_a_chain_lasts_a_week(filled):
    assert await chain_for(NOW) == "20261130T120500Z"
    first = NOW - timedelta(days=6)
    await kept(first, first.strftime(TIME))
    await kept(NOW - timedelta(hours=1), first.strftime(TIME))
    assert await chain_for(NOW) == first.strftime(TIME)
    assert await chain_for(NOW + timedelta(days=2)) == "20261202T120500Z"


async def test_backups_are_listed_by_pages_with_their_verdicts(filled):
    ids = [await kept(NOW + timedelta(hours=n), "20261130T120500Z") for n in range(3)]
    await write_verdict(ids[1], Verdict(verdict="different", tables=1, rows=1, differences=["a: other values"]))
    await write_verdict(ids[1], Verdict(verdict="same", tables=1, rows=1))
    await write_verdict(ids[0], Verdict(verdict="different", tables=1, rows=1, differences=["a: other values"]))
    assert [(one.id, one.verified) for one in await reporting.list_backups(2, None)] == [
        (ids[2], None),
        (ids[1], True),
    ]
    assert [(one.id, one.verified) for one in await reporting.list_backups(2, ids[1])] == [(ids[0], False)]
    with pytest.raises(NotFound, match="was deleted meanwhile"):
        await reporting.describe("manifests/c/20200101T000000Z.json")


@pytest.mark.parametrize("case", [(1.9, "true", 0), (2.1, "true", 1), (2.1, "false", 0)])
async def test_a_late_backup_is_told_once_where_they_are_hourly(filled, mails, monkeypatch, case):
    hours, hourly, told = case
    monkeypatch.setenv("BACKUPS_HOURLY", hourly)
    forget_settings()
    await reporting.watch_age(NOW)  # before the first backup there is nothing to be late
    await kept(NOW - timedelta(hours=hours), "c")
    await reporting.watch_age(NOW)
    await reporting.watch_age(NOW)
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
    whole, damaged = await kept(NOW, "c"), await kept(NOW + timedelta(hours=1), "c")
    blob = blob_service().get_blob_client(settings().backups_container, f"manifests/c/{damaged}.json")
    await blob.upload_blob(b"{}", overwrite=True)
    first, second = await reporting.list_backups(5, None)
    assert (first.id, first.verified, second.id, second.problem) == (damaged, False, whole, None)
    assert "is damaged: it cannot be read" in present(first.problem)
