"""Folds: what the log says becomes the base, whatever happens meanwhile; all instances read the same."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.authcache.base import manifest as manifests
from shared.authcache.base.manifest import read_manifest
from shared.authcache.folding import folding
from shared.authcache.folding.folding import fold_log
from shared.authcache.log.groups import log_name, read_group
from shared.authcache.log.sessions import FamilyStarted
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.log.users import AddressChanged, UserChanged, UserDeleted
from shared.authcache.settings import settings
from shared.authcache.tables import FAMILIES
from shared.platform.stores.blob_files import delete_blob, list_blobs
from tests.integration.closing import close_instance
from tests.integration.shared.authcache.conftest import folded, granted, local, now, registered
from tests.present import present


async def seen(view, users):
    """All that a view says of these users, comparable."""
    found = []
    for user in users:
        shares = sorted(await view.shared_by(user.id), key=lambda one: one.id)
        viewed = sorted(await view.shared_with(user.address), key=lambda one: one.id)
        found.append((await view.user_by_id(user.id), await view.user_by_address(user.address), shares, viewed))
    return found


async def changed_in_every_way(store):
    """Users of whom some changed, some shared, some left."""
    users = [registered(f"user{number}@example.com", last_name="a\x1fb\x1b0\x00c\né") for number in range(30)]
    await store.commit(users)
    shares = [granted(users[n].id, users[(n * 7 + 3) % 30].address, level="write") for n in range(30)]
    await store.commit(shares)
    await folded()
    await store.commit([ShareRevoked(at=now(), id=shares[0].id), UserDeleted(at=now(), user=users[1].id)])
    await store.commit(
        [
            UserChanged(at=now(), user=users[2].id, first_name="Bo", tax_rate=Decimal("12.50")),
            AddressChanged(at=now(), user=users[3].id, email="New@example.com", address="new@example.com"),
            granted(users[4].id, "stranger@example.com", expires_at=now()),
        ]
    )
    await store.commit([registered("user1@example.com", id=users[1].id[::-1])])
    return users


@pytest.mark.parametrize("least_changed", [50_000, 0], ids=["what changed alone", "everything anew"])
async def test_instances_read_the_same_from_the_log_from_blobs_and_from_the_disk(instances, monkeypatch, least_changed):
    monkeypatch.setattr(folding, "LEAST_CHANGED", least_changed)
    writer = instances()
    users = await changed_in_every_way(writer)
    reader = instances()
    from_log = await seen(await reader.view(), users)
    summary = await folded()
    assert summary.lsn == writer.instance.now().lsn
    assert len(present(await read_manifest())[0].segments) == (1 if least_changed == 0 else 2)
    fresh = instances()
    from_blobs = await seen(await fresh.view(), users)
    assert from_blobs == from_log
    assert fresh.instance.holding.tail.rows(FAMILIES) == {}
    assert await seen((await local(fresh)).instance.now(), users) == from_log
    assert await seen((await local(writer)).instance.now(), users) == from_log
    assert from_log[1][0] is None
    assert from_log[1][2] == []
    assert from_log[3][0].email == "New@example.com"
    counts = present(await read_manifest())[0].counts
    assert counts.users == 30
    assert counts.shares == sum(len(one[2]) for one in from_log)
    assert counts.owners == sum(bool(one[2]) for one in from_log)


async def test_two_folds_at_once_leave_one_whole_manifest(instances, monkeypatch):
    """The slower one has read the log before the faster one's last record was there, and ends after it."""
    store = instances()
    await store.commit([registered("ann@example.com")])
    await folded()
    await store.commit([registered("bob@example.com")])
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    upload = folding.upload

    async def first_waits(*given):
        if not has_read.is_set():
            has_read.set()
            await may_go_on.wait()
        await upload(*given)

    monkeypatch.setattr(folding, "upload", first_waits)
    slower = asyncio.create_task(fold_log())
    await has_read.wait()
    lsn = await store.commit([registered("cy@example.com")])
    assert (await fold_log()).lsn == lsn
    newer = present(await read_manifest())
    may_go_on.set()
    assert present((await slower).lsn) < lsn
    assert present(await read_manifest()) == newer
    view = await instances().view()
    for name in ("ann", "bob", "cy"):
        assert await view.user_by_address(f"{name}@example.com")
    assert newer[0].counts.users == 3


@pytest.mark.parametrize("step", ["upload", "write_manifest"])
async def test_a_fold_that_is_killed_leaves_readers_what_they_had(instances, monkeypatch, step):
    store = instances()
    users = [registered("ann@example.com")]
    await store.commit(users)
    await folded()
    before = present(await read_manifest())[0]
    share = granted(users[0].id, "bob@example.com")
    lsn = await store.commit([registered("cy@example.com"), share])

    class Killed(BaseException):
        pass

    async def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(folding, step, killed)
        with pytest.raises(Killed):
            await fold_log()
    assert present(await read_manifest())[0] == before
    view = await instances().view(lsn)
    assert await view.share(users[0].id, "bob@example.com")
    assert (await fold_log()).lsn == lsn
    view = await instances().view()
    assert await view.share(users[0].id, "bob@example.com")
    assert await view.user_by_address("cy@example.com")


async def test_what_nobody_needs_is_cleaned_and_what_somebody_may_need_is_kept(instances, container, monkeypatch):
    store = instances()
    for number in range(5):
        await store.commit([registered(f"user{number}@example.com")])
    assert (await folded()).cleaned == 0  # they are young
    monkeypatch.setattr("shared.authcache.log.cleaning.timedelta", lambda **_: -manifests.datetime.resolution * 10**8)
    lsn = store.instance.now().lsn
    assert (await folded()).cleaned == lsn - 1
    assert await read_group(1) is None
    assert await read_group(lsn) is not None
    view = await instances().view()
    assert all([await view.user_by_address(f"user{number}@example.com") for number in range(5)])


async def test_an_instance_that_was_cut_off_writes_nothing_upon_what_was_cleaned_away(instances, container):
    """It believes to be at the end of the log, since the next group is not there any more."""
    late, store = instances(), instances()
    await late.commit([registered("ann@example.com")])
    await close_instance(late.instance)  # it looks no more
    for number in range(3):
        await store.commit([registered(f"user{number}@example.com")])
    await folded()
    for lsn in (1, 2, 3):  # as AUTHCACHE_LOG_HOURS later
        await delete_blob(container, log_name(lsn))
    assert late.instance.now().lsn == 1
    late.instance._clock = lambda: time.monotonic() + settings().authcache_log_hours * 3600
    assert await late.commit([registered("late@example.com")]) == 5
    assert await read_group(2) is None
    view = await instances().view()
    assert await view.user_by_address("late@example.com")


async def test_expired_sessions_are_left_out_when_everything_is_made_anew(instances, monkeypatch):
    monkeypatch.setattr(folding, "LEAST_CHANGED", 0)
    store = instances()
    user = registered("ann@example.com")
    old = FamilyStarted(at=now(), id=uuid.uuid4().hex, user=user.id, token_hash="x", expires_at=now())
    await store.commit([user, old])
    await folded()
    await store.commit([registered("bob@example.com")])
    await folded()
    assert await (await instances().view()).get(FAMILIES, old.id) is None


async def test_segments_that_no_manifest_names_are_deleted_after_a_while(instances, container, monkeypatch):
    store = instances()
    for number in range(3):
        await store.commit([registered(f"user{number}@example.com")])
        await folded()
    page = await list_blobs(container, limit=1000, prefix="base/")
    assert len({blob.name.rpartition("/")[0] for blob in page.blobs}) > 2
    monkeypatch.setattr("shared.authcache.folding.cleaning._KEPT", -manifests.datetime.resolution * 10**8)
    await folded()
    page = await list_blobs(container, limit=1000, prefix="base/")
    used = {segment.name for segment in present(await read_manifest())[0].segments}
    assert {blob.name.rpartition("/")[0] for blob in page.blobs} == used


async def test_a_moment_that_utc_has_no_year_for_holds_no_fold_up(instances):
    store = instances()
    ann = registered("ann@example.com")
    late = granted(ann.id, "bob@example.com", expires_at=datetime.fromisoformat("9999-12-31T23:59:59-12:00"))
    await store.commit([ann, late])
    assert (await folded()).lsn == store.instance.now().lsn
    share = await (await local(instances())).instance.now().share(ann.id, "bob@example.com")
    assert present(present(share).expires_at) == datetime.max.replace(tzinfo=UTC)
