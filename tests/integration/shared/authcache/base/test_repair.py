"""A base that is damaged or lost: nobody answers or writes upon it, and it is made anew once, or not without a word."""

import asyncio
import random
import shutil

import pytest

from shared.authcache.base import fetching, repair
from shared.authcache.base.fetching import folder_of, own_folder
from shared.authcache.base.manifest import CorruptBase, read_manifest
from shared.authcache.base.repair import MISSING, rebuild_wanted, rows_known_since, want_rebuild
from shared.authcache.log.cleaning import first_lsn
from shared.authcache.log.groups import log_name
from shared.authcache.log.users import UserChanged
from shared.authcache.reading.health import figures_without_rows
from shared.authcache.writing.uniqueness import address_is_free
from shared.platform.errors import TerminalError, TransientError
from shared.platform.stores.blob_files import blob_size, delete_blob
from shared.platform.stores.blobs import blob_service
from tests.integration.closing import close_store
from tests.integration.shared.authcache.conftest import folded, granted, local, now, registered
from tests.present import present

ANN = "ann@example.com"


async def overwrite(container, name, data):
    await blob_service().get_blob_client(container, name).upload_blob(data, overwrite=True)


async def zero(container, name, byte=b"\0"):
    size = present(await blob_size(container, name))
    await overwrite(container, name, byte * size if byte else random.Random(1).randbytes(size))


def damage(path):
    """Zeros in place, as a disk leaves them: whoever has the file open or mapped sees them."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


@pytest.fixture
async def base(instances, container):
    """Twelve users and a share in the base; the segment that they stand in. No instance has it on its disk."""
    store = instances()
    ann = registered(ANN)
    await store.commit([ann, *(registered(f"u{number}@example.com") for number in range(11))])
    await store.commit([granted(ann.id, "u1@example.com")])
    await folded()
    await close_store(store)
    for copies in await asyncio.to_thread(lambda: [one for one in own_folder().iterdir() if one.is_dir()]):
        await asyncio.to_thread(shutil.rmtree, copies, ignore_errors=True)  # the catalog is a file beside them
    return present(await read_manifest())[0].segments[0]


async def looked_up_and_registered(store):
    """Nobody is found who is there, and nobody entered again."""
    view = await store.view()
    await view.user_by_id("x" * 32)
    assert await view.user_by_address(ANN) is not None
    await store.commit([registered(ANN)], check=address_is_free(ANN))


@pytest.mark.parametrize("byte", [b"\0", b"\xff", b""], ids=["zeros", "ones", "random"])
@pytest.mark.parametrize("file", ["users.slots", "users.address.index", "users.id.index"])
async def test_no_cold_instance_answers_or_writes_upon_a_base_that_is_damaged(instances, container, base, file, byte):
    await zero(container, f"{base.name}/{file}", byte)
    store = instances()
    for _ in range(3):
        with pytest.raises(CorruptBase) as refused:
            await looked_up_and_registered(store)
        assert refused.value.retry_after
        if store.instance._fetching is not None:
            await asyncio.wait([store.instance._fetching])
    assert figures_without_rows(store.instance).rebuilds == 1
    await folded()
    await store.instance.refresh()
    assert await (await store.view()).user_by_address(ANN)


@pytest.mark.parametrize("file", ["users.slots", "users.address.index", "users.id.index"])
async def test_a_copy_that_another_process_left_damaged_is_fetched_anew(instances, base, file, monkeypatch):
    await local(instances())
    [copy] = own_folder().rglob(file)
    size = copy.stat().st_size
    copy.write_bytes(random.Random(1).randbytes(size))
    monkeypatch.setattr(fetching, "_whole", set())  # as in another process
    fresh = await local(instances())
    assert copy.read_bytes() != random.Random(1).randbytes(size)
    assert await (await fresh.view()).user_by_address(ANN)
    assert fresh.instance.rebuilds == 0


@pytest.mark.parametrize("data", [b"", b'{"lsn": 2, "segm'])
async def test_a_manifest_that_cannot_be_read_is_made_anew_and_requests_come_again(instances, container, base, data):
    await overwrite(container, "manifest.json", data)
    store = instances()
    for _ in range(3):
        with pytest.raises(TransientError) as refused:
            await store.view()
        assert refused.value.retry_after
    assert store.instance.rebuilds == 1
    await folded()
    assert await (await store.view()).user_by_address(ANN)


@pytest.mark.parametrize("change", ["zeros", "none"])
async def test_a_fold_makes_a_base_anew_whose_parquet_is_damaged(instances, container, base, change):
    store = await local(instances())  # which needs no Parquet
    name = f"{base.name}/users.parquet"
    await (zero(container, name) if change == "zeros" else delete_blob(container, name))
    await store.commit([registered("new@example.com")])
    assert (await folded()).synced is not None
    await store.instance.refresh()
    view = await store.view()
    assert await view.user_by_address(ANN)
    assert await view.user_by_address("new@example.com")


async def test_a_base_is_not_made_anew_without_what_nobody_holds(instances, container, base, monkeypatch, tmp_path):
    await delete_blob(container, log_name(1))
    await overwrite(container, "manifest.json", b"")
    monkeypatch.setenv("AUTHCACHE_CATALOG_URI", f"sqlite:///{tmp_path / 'another.db'}")
    assert await first_lsn() == 2
    with pytest.raises(TerminalError, match="between would be lost") as refused:
        await folded()
    assert "accept_loss" in present(refused.value.remedy)
    with pytest.raises(CorruptBase):
        await instances().view()
    known_since = present(await rows_known_since())
    await asyncio.sleep(1.1)  # the service stamps blobs by the second
    assert (await folded(rebuild=True, accept_loss=True)).lsn == 2
    assert present(await rows_known_since()) > known_since


async def test_a_record_that_this_version_cannot_read_is_for_another_instance_to_answer(instances, container, base):
    await overwrite(container, log_name(3), b'{"id": "a-b", "records": [{"kind": "of-tomorrow"}]}')
    store = instances()
    with pytest.raises(TransientError) as refused:
        await store.view()
    assert refused.value.code == "log-unreadable"
    assert refused.value.retry_after


async def test_a_note_of_a_base_that_has_been_made_anew_since_is_void(instances, container, base):
    await delete_blob(container, "manifest.json")
    with pytest.raises(CorruptBase):
        await instances().view()
    assert (await folded()).synced is not None
    await want_rebuild("It was missing.", MISSING)  # by whom it was missing for before it was made
    assert (await folded()).synced is None
    assert await rebuild_wanted() is None
    await want_rebuild("An operator asked for it.")
    assert (await folded()).synced is not None


async def test_a_note_takes_the_place_of_a_void_one_and_not_of_an_operators(instances, base):
    await want_rebuild("It was missing.", MISSING)  # which it is not any more
    await want_rebuild("It is damaged.", present(await read_manifest())[1])
    assert await rebuild_wanted() == "It is damaged."
    await want_rebuild("An operator asked for it.")
    await want_rebuild("It was missing.", MISSING)
    assert await rebuild_wanted() == "An operator asked for it."


@pytest.mark.parametrize("step", ["rebuild_wanted", "rebuilt"])
async def test_a_note_that_is_put_while_a_void_one_is_taken_away_stays(instances, base, monkeypatch, step):
    await want_rebuild("It was missing.", MISSING)
    find = repair._state

    async def meanwhile():
        found = await find()
        await want_rebuild("It is damaged.", found)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(repair, "_state", meanwhile)
        await getattr(repair, step)()
    assert await rebuild_wanted() == "It is damaged."


@pytest.mark.parametrize("starts", [False, True], ids=["running", "starting"])
@pytest.mark.parametrize("file", ["users.slots", "users.address.index", "users.id.index"])
async def test_a_damaged_copy_on_this_machines_disk_is_fetched_again(instances, base, file, starts):
    store = await local(instances())
    path = folder_of(base, 0) / file
    written = path.read_bytes()
    if starts:
        await close_store(store)
        store = instances()
    damage(path)
    with pytest.raises(CorruptBase) as refused:
        await looked_up_and_registered(store)
    assert refused.value.retry_after
    await store.instance.refresh()
    assert await (await store.view()).user_by_address(ANN)  # from blobs, until it is here
    await local(store)
    assert await (await store.view()).user_by_address(ANN)
    assert path.read_bytes() == written
    found = figures_without_rows(store.instance)
    assert (found.copies, found.rebuilds, found.users_count) == (1, 0, 12)
    assert await rebuild_wanted() is None


async def test_a_base_whose_fetched_copy_is_damaged_as_well_is_made_anew(instances, base):
    store = await local(instances())
    path = folder_of(base, 0) / "users.slots"
    for _ in range(2):
        damage(path)
        with pytest.raises(CorruptBase):
            await looked_up_and_registered(store)
        if store.instance.copies == 0:
            await store.instance.refresh()
            await local(store)
    with pytest.raises(TransientError):
        await store.instance.refresh()
    assert (store.instance.copies, store.instance.rebuilds) == (1, 1)
    assert (await folded()).synced is not None
    await local(store)
    assert await (await store.view()).user_by_address(ANN)


@pytest.mark.parametrize("shorter", [False, True], ids=["zeros", "shorter"])
async def test_a_fold_fetches_a_damaged_copy_again_and_makes_nothing_anew(instances, base, shorter):
    store = await local(instances())
    ann = present(await (await store.view()).user_by_address(ANN))
    await store.commit([UserChanged(at=now(), user=ann.id, last_name="New")])
    await close_store(store)
    path = folder_of(base, 0) / "users.id.index"
    if shorter:
        path.write_bytes(path.read_bytes()[:-8])
    else:
        damage(path)
    summary = await folded()
    assert (summary.synced, summary.records) == (None, 1)
    found = await (await local(instances())).view()
    assert present(await found.user_by_address(ANN)).last_name == "New"
