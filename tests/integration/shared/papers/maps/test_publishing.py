"""A version is published, whatever has become of the files of the one before."""

import pytest

from shared.papers.maps import model_files, versions
from shared.papers.settings import settings
from shared.platform.stores.blobs import blob_service
from tests.integration.shared.papers.maps.conftest import some
from tests.present import present


@pytest.mark.parametrize("file", ["middles", "positions", "model"])
@pytest.mark.parametrize("change", ["damaged", "gone"])
async def test_another_version_mends_a_map_of_which_a_file_is_damaged_or_gone(maps, file, change):
    await maps.add(some(60))
    version = await maps.make()
    model_files._loaded.clear()
    name = next(name for name in await maps.papers.names() if f"maps/{version}/{file}-" in name)
    if change == "gone":
        await blob_service().get_blob_client(settings().papers_container, name).delete_blob()
    else:
        await maps.papers.put(name, b"\0" * len(await maps.papers.read(name)))
    await maps.add(some(1, first=900))
    after = await maps.make()
    found = await versions.current()
    assert (found.version, found.papers) == (after, 61)
    assert present(found.moved) < 0.02
