"""What is refused of the blobs of backups, and what is passed over."""

from datetime import UTC, datetime

import pytest

from shared.backups import reporting
from shared.backups.blobs.manifests import read_manifest
from shared.backups.settings import settings
from shared.backups.taking.chains import chain_for
from shared.platform.errors import TerminalError
from shared.platform.stores.blobs import blob_service
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import CHAIN, chunk_blobs, take

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data[:-40], "backup-corrupt"),
        (lambda data: data.replace(b"hashing", b"hashinG"), "backup-corrupt"),
        (lambda data: data.replace(b"rows", b"Rows", 1), "backup-corrupt"),
        (lambda _: b"[]", "backup-corrupt"),
        (lambda _: b"\xff\xfe", "backup-corrupt"),
    ],
)
async def test_a_manifest_that_is_not_as_it_was_written_is_refused(filled, change, code):
    await take(1)
    blob = blob_service().get_blob_client(settings().backups_container, f"manifests/{CHAIN}/20261101T000100Z.json")
    data = await (await blob.download_blob()).readall()
    changed = change(data)
    if changed == data:
        changed = data.replace(b"papers", b"Papers", 1)
    await blob.upload_blob(changed, overwrite=True)
    with pytest.raises(TerminalError) as refused:
        await read_manifest()
    assert refused.value.code == code


FOREIGN = (
    "manifests/readme.txt",
    "manifests/zz.json",
    f"manifests/{CHAIN}/zz-other-tool.json",
    f"manifests/{CHAIN}/20261399T000100Z.json",
    f"manifests/{CHAIN}/20271101T000100Z.json.bak",
    f"manifests/{CHAIN}/deeper/20271101T000100Z.json",
    "manifests/zz/20271101T000100Z.json",
)


async def test_blobs_that_are_no_backups_are_passed_over(filled, mails, monkeypatch):
    monkeypatch.setenv("BACKUPS_HOURLY", "true")
    forget_settings()
    await take(1)
    for name in FOREIGN:
        await blob_service().get_blob_client(settings().backups_container, name).upload_blob(b'{"kind": "other"}')
    assert (await read_manifest()).id == "20261101T000100Z"
    assert [one.id for one in await reporting.list_backups(20, None)] == ["20261101T000100Z"]
    assert await chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == CHAIN
    assert await chain_for(datetime(2026, 11, 20, tzinfo=UTC)) == "20261120T000000Z"
    await reporting.watch_age(datetime(2026, 11, 2, tzinfo=UTC))
    assert "There is no backup since 2026-11-01 00:01 UTC" in mails.mails(10)[0].text


async def test_a_manifest_under_another_name_is_refused(filled):
    await take(1)
    container = blob_service().get_container_client(settings().backups_container)
    signed = await (await container.download_blob(f"manifests/{CHAIN}/20261101T000100Z.json")).readall()
    await container.upload_blob(f"manifests/{CHAIN}/20261101T000900Z.json", signed)
    with pytest.raises(TerminalError, match="it is that of another backup"):
        await read_manifest()


async def test_a_blob_in_the_place_of_a_chunk_that_does_not_say_what_it_is_is_written_over(filled):
    await take(1)
    container = blob_service().get_container_client(settings().backups_container)
    for name in await chunk_blobs():
        await container.upload_blob(name, b"copied without its metadata", overwrite=True)
    assert (await take(2, verify=True)).verified is True
