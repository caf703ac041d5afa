"""Files that rows name are copied with them, and come back."""

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs import carrying
from shared.backups.blobs.manifests import read_manifest
from shared.backups.models import TakeAndVerify
from shared.backups.settings import settings
from shared.platform.stores.blob_files import create_blob
from shared.platform.stores.blobs import blob_service, read_blob
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import restore
from tests.present import present


async def test_files_that_rows_name_come_back_with_them(filled, migrated, empty):
    await create_blob("papers", "maps/1/points-aa.bin", b"points")
    await create_blob("papers", "maps/1/density-bb.bin", b"density")
    await create_blob("papers", "maps/1/work/fit-00001.npz", b"half")
    await create_blob("papers", "inbox/arxiv/a.jsonl", b"{}")
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    assert sorted(one.name for one in backup.files) == ["maps/1/density-bb.bin", "maps/1/points-aa.bin"]
    container = blob_service().get_container_client("papers")
    await container.delete_blob("maps/1/points-aa.bin")
    await container.upload_blob("maps/1/density-bb.bin", b"another", overwrite=True)
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 files of maps" in done.stdout
    assert present(await read_blob("papers", "maps/1/points-aa.bin")).data == b"points"
    assert present(await read_blob("papers", "maps/1/density-bb.bin")).data == b"density"
    copy = blob_service().get_blob_client(settings().backups_container, backup.files[0].blob)
    await copy.upload_blob(b"changed", overwrite=True)
    assert await carrying.damaged(backup) == [f"file papers/{backup.files[0].name}: its copy is missing or damaged"]
