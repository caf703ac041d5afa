"""A backup that was restored into the scratch database and is damaged."""

from datetime import UTC, datetime

import pytest

from shared.backups.blobs.manifests import read_verdict
from shared.backups.settings import settings
from shared.backups.taking.chains import chain_for
from shared.backups.verification.scratch import scratch
from shared.platform.errors import TerminalError
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import rows
from tests.integration.shared.backups.conftest import chunk_blobs, take
from tests.present import present

pytestmark = pytest.mark.usefixtures("small_chunks")


async def test_a_chunk_that_was_changed_is_found_out(filled):
    await take(1)
    [name, *_] = [name for name in await chunk_blobs() if "/papers.papers/" in name]
    blob = blob_service().get_blob_client(settings().backups_container, name)
    data = bytearray(await (await blob.download_blob()).readall())
    data[len(data) // 2] ^= 1
    await blob.upload_blob(bytes(data), overwrite=True, metadata=(await blob.get_blob_properties()).metadata)
    with pytest.raises(TerminalError, match="its checksum is another") as refused:
        await take(2, verify=True)
    assert refused.value.code == "backup-corrupt"
    async with scratch() as connection:
        assert await rows(connection, "select from papers.papers") == []
    [difference] = present(await read_verdict("20261101T000200Z")).differences
    assert "its checksum is another" in difference
    assert await chain_for(datetime(2026, 11, 2, tzinfo=UTC)) == "20261102T000000Z", "nothing stands on it any more"
