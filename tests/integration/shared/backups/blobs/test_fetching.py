"""Files of a backup that cannot be read."""

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest
from shared.backups.models import TakeAndVerify
from shared.backups.settings import settings
from shared.platform.stores.blob_files import create_blob
from shared.platform.stores.blobs import blob_service
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import restore


async def test_what_is_in_the_archive_is_named_with_its_remedy_and_brought_back(backup, migrated, empty):
    [papers] = [one for one in backup.tables if one.full_name == "papers.papers"]
    blob = blob_service().get_blob_client(settings().backups_container, papers.chunks[0].blob)
    await blob.set_standard_blob_tier("Archive")
    done = restore(migrated, empty)
    assert done.returncode == 1
    assert "is in the archive tier" in done.stderr
    assert "REHYDRATE=yes" in done.stderr
    done = restore(migrated, empty, "--rehydrate")
    assert done.returncode == 0, done.stderr
    assert "being brought back from the archive" in done.stdout or "tables hold what the backup says" in done.stdout
    assert (await blob.get_blob_properties()).blob_tier == "Hot" or (await blob.get_blob_properties()).archive_status


async def test_a_backup_of_which_a_file_is_missing_is_refused(filled, migrated, empty):
    await create_blob("papers", "maps/1/missing.bin", b"points")
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    container = blob_service().get_container_client(settings().backups_container)
    await blob_service().get_container_client("papers").delete_blob("maps/1/missing.bin")
    [carried] = [one for one in backup.files if one.name == "maps/1/missing.bin"]
    [papers] = [one for one in backup.tables if one.full_name == "papers.papers"]
    for missing in (carried.blob, papers.chunks[0].blob):
        await container.delete_blob(missing)
        for arguments in ((), ("--rehydrate",)):
            done = restore(migrated, empty, *arguments)
            assert done.returncode == 1
            assert "backup-corrupt" in done.stderr
            assert "it is missing" in done.stderr
            assert "Restore another backup, of another chain" in done.stderr
