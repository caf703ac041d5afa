"""The file of what is defined beside tables."""

import pytest

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest
from shared.backups.models import TakeAndVerify
from shared.backups.settings import settings
from shared.platform.stores.blobs import blob_service
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import restore
from tests.present import present

BACKUP = "20261101T000100Z"


@pytest.mark.parametrize("change", ["damaged", "gone"])
async def test_a_backup_whose_definitions_are_damaged_or_gone_is_refused(filled, migrated, empty, change):
    await Player().play(back_up, TakeAndVerify(id=BACKUP, chain="20261101T000000Z"))
    stored = present((await read_manifest()).others)
    blob = blob_service().get_blob_client(settings().backups_container, stored.blob)
    await (blob.delete_blob() if change == "gone" else blob.upload_blob(b"{}", overwrite=True))
    done = restore(migrated, empty)
    assert done.returncode == 1
    assert "backup-corrupt" in done.stderr
    assert stored.blob in done.stderr
