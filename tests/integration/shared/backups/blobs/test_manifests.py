"""A manifest that is not as it was written."""

import pytest

from shared.backups.blobs.manifests import read_manifest
from shared.backups.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.stores.blobs import blob_service
from tests.integration.shared.backups.conftest import CHAIN, take

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
