"""Appends to Iceberg tables: each exactly once, whatever the catalog answers. One contract for both catalogs."""

import asyncio
import time
from statistics import median
from typing import Any

import pytest
from pyiceberg.catalog.rest import RestCatalog

from bench.memory import peak_from_now
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.folding.exporting import append_table, look_at_table
from shared.authcache.folding.steps import TableTask
from shared.authcache.iceberg import writing
from shared.authcache.iceberg.catalog import catalog
from shared.authcache.iceberg.marks import MARK
from shared.authcache.iceberg.tables import existing
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.log.users import UserChanged
from shared.authcache.settings import settings
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.authcache.conftest import folded, granted, now, registered
from tests.present import present

REGISTRATIONS, A_FOLD = 10_000, 1_000
FOLD_MEGABYTES = 300
SLOW_SECONDS, WRITING_SECONDS, PAUSE_SECONDS = 3.0, 60, 0.1


def table(of: Table[Any] = USERS):
    return existing(catalog(), of)


def rows(of: Table[Any] = USERS):
    """The rows of the Iceberg table."""
    return present(table(of)).scan().to_arrow().to_pylist()


def marks(of: Table[Any] = USERS):
    """The LSN of every snapshot, the oldest first."""
    return [present(one.summary).additional_properties.get(MARK) for one in present(table(of)).snapshots()]


async def test_each_fold_is_one_append_that_names_its_lsn(instances, catalogs):
    store = instances()
    users = [registered("ann@example.com", tax_rate="1.50"), registered("bob@example.com")]
    first = await store.commit(users)
    await folded()
    share = granted(users[0].id, "bob@example.com")
    await store.commit([UserChanged(at=now(), user=users[0].id, first_name="Eve")])
    second = await store.commit([share])
    await folded()
    await folded()
    assert marks() == [str(first), str(second)]
    assert marks(SHARES) == [str(second)]
    assert [(one["user_id"], one["shared_email"]) for one in rows(SHARES)] == [(users[0].id, "bob@example.com")]
    newest = {one["id"]: one for one in sorted(rows(), key=lambda row: row["_lsn"])}
    assert newest[users[0].id]["first_name"] == "Eve"
    await store.commit([ShareRevoked(at=now(), id=share.id)])
    await folded()
    assert [one["_dropped"] for one in sorted(rows(SHARES), key=lambda row: row["_lsn"])] == [False, True]


async def test_a_commit_that_was_answered_504_is_not_made_twice(instances, faults):
    store = instances()
    lsn = await store.commit([registered("ann@example.com")])
    await folded()
    await store.commit([registered("bob@example.com")])
    faults.lost_answers = 1
    summary = await folded()
    assert summary.behind == ()
    assert marks() == [str(lsn), str(summary.lsn)]
    assert sorted(one["email"] for one in rows()) == ["ann@example.com", "bob@example.com"]


async def test_a_fold_that_dies_after_its_append_does_not_append_again(instances, catalogs, monkeypatch):
    store = instances()
    await store.commit([registered("ann@example.com")])
    summary = await folded()
    table_task = TableTask(table="users", lsn=summary.lsn)
    assert (await append_table(table_task)).rows == 0
    await asyncio.gather(append_table(table_task), append_table(table_task))
    assert len(rows()) == 1


async def test_two_appends_at_once_append_once(instances, catalogs):
    store = instances()
    await store.commit([registered("ann@example.com")])
    summary = await folded()
    lsn = await store.commit([registered("bob@example.com")])
    from shared.authcache.folding.folding import fold_log

    await fold_log()
    task = TableTask(table="users", lsn=lsn)
    answers = await asyncio.gather(append_table(task), append_table(task), return_exceptions=True)
    assert all(not isinstance(one, Exception) or isinstance(one, TransientError) for one in answers)
    assert marks() == [str(summary.lsn), str(lsn)]
    assert len(rows()) == 2


async def test_a_catalog_that_takes_one_snapshot_a_commit_is_enough(instances, faults):
    faults.one_snapshot = True
    store = instances()
    for number in range(3):
        await store.commit([registered(f"user{number}@example.com")])
        await folded()
    summary = await folded(tidy=True)
    assert summary.behind == ()
    assert len(rows()) == 3
    assert len(list(present(table()).scan().plan_files())) == 1


async def test_registrations_and_folds_go_on_while_the_catalog_sleeps(instances, faults):
    store = instances()
    await store.commit([registered("ann@example.com")])
    await folded()
    faults.asleep = True
    lsn = await store.commit([registered("bob@example.com")])
    summary = await folded()
    assert summary.lsn == lsn
    assert summary.behind == ("documents", "properties", "shares", "users")
    assert await (await instances().view()).user_by_address("bob@example.com")
    faults.asleep = False
    assert (await folded()).behind == ()
    assert len(rows()) == 2


async def test_files_snapshots_and_metadata_stay_few(instances, catalogs, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_MOST_FILES", "4")
    monkeypatch.setenv("AUTHCACHE_SNAPSHOT_HOURS", "0")
    forget_settings()
    store = instances()
    for number in range(12):
        await store.commit([registered(f"user{number}@example.com")])
        await folded()
        assert len(list(present(table()).scan().plan_files())) <= 5
    assert len(rows()) == 12
    await folded(tidy=True)
    assert len(list(present(table()).scan().plan_files())) == 1
    assert len(present(table()).snapshots()) == 1
    assert len(present(table()).metadata.metadata_log) <= 20
    assert sorted(one["email"] for one in rows()) == sorted(f"user{number}@example.com" for number in range(12))


async def test_ten_thousand_registrations_leave_few_files_and_their_changes_are_one_fold(
    instances, container, monkeypatch
):
    monkeypatch.setenv("AUTHCACHE_MOST_FILES", "5")
    forget_settings()
    store = instances()
    ids = [f"user-{number}" for number in range(REGISTRATIONS)]
    for first in range(0, REGISTRATIONS, A_FOLD):
        some = ids[first : first + A_FOLD]
        await store.commit([registered(f"{one}@example.com", id=one) for one in some[: A_FOLD // 2]])
        await store.commit([registered(f"{one}@example.com", id=one) for one in some[A_FOLD // 2 :]])
        await folded()
        assert len(list(present(table()).scan().plan_files())) <= 6
    assert len(present(table()).metadata.metadata_log) <= 20
    assert len(rows()) == REGISTRATIONS
    before = len(marks())
    for first in range(0, REGISTRATIONS, A_FOLD):
        changes = [UserChanged(at=now(), user=one, last_name="New") for one in ids[first : first + A_FOLD]]
        await store.commit(changes)
    peak = peak_from_now()
    assert (await folded()).records == REGISTRATIONS
    assert peak() < FOLD_MEGABYTES
    assert len(marks()) <= before + 2  # one append, and one that made its small files one
    newest = {one["id"]: one for one in sorted(rows(), key=lambda row: row["_lsn"])}
    assert {one["last_name"] for one in newest.values()} == {"New"}
    assert len(newest) == REGISTRATIONS


async def test_three_writers_change_profiles_while_the_catalog_is_slow(instances, faults, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_MOST_FILES", "3")
    forget_settings()
    stores = [instances() for _ in range(3)]
    users = [registered(f"writer{number}@example.com") for number in range(len(stores))]
    await stores[0].commit(users)
    await folded()
    faults.slow_seconds = SLOW_SECONDS
    writes, commits, folds, small = [], [], [], []
    commit = RestCatalog.commit_table

    def noted(*given):
        began = time.monotonic()
        try:
            return commit(*given)
        finally:
            commits.append((began, time.monotonic()))

    monkeypatch.setattr(RestCatalog, "commit_table", noted)
    end = time.monotonic() + WRITING_SECONDS

    async def write(store, user):
        number = 0
        while time.monotonic() < end:
            number += 1
            began = time.monotonic()
            await store.commit([UserChanged(at=now(), user=user.id, last_name=f"{number}")])
            writes.append((began, time.monotonic()))
            await asyncio.sleep(PAUSE_SECONDS)
        found = await (await instances().view()).user_by_id(user.id)
        assert found.last_name == f"{number}"

    async def fold():
        while time.monotonic() < end:
            folds.append(await folded())
            small.append(folds[-1].files["users"])

    await asyncio.gather(fold(), *(write(store, user) for store, user in zip(stores, users, strict=True)))
    slow = [(began, ended) for began, ended in commits if ended - began >= SLOW_SECONDS]
    assert len(slow) >= 5
    assert all(one.behind == () for one in folds)
    assert max(small) > min(small) == 1  # they pile up, and become one
    assert len(writes) > 10 * len(folds)
    # None begins before a commit and ends after it; who waits from its middle on would do so in the median too.
    assert not [write for write in writes for one in slow if write[0] <= one[0] and one[1] <= write[1]]
    assert median(ended - began for began, ended in writes) < SLOW_SECONDS / 3


async def test_a_row_that_changed_often_stands_once_after_the_night(instances, catalogs):
    store = instances()
    user = registered("ann@example.com")
    gone = granted(user.id, "bob@example.com")
    await store.commit([user, gone])
    await folded()
    await store.commit([UserChanged(at=now(), user=user.id, last_name="Day"), ShareRevoked(at=now(), id=gone.id)])
    await folded()
    assert len(rows()) == 2
    await folded(tidy=True)
    assert [(one["id"], one["last_name"]) for one in rows()] == [(user.id, "Day")]
    assert rows(SHARES) == []
    await store.commit([registered("bob@example.com")])
    assert (await folded()).behind == ()
    assert len(rows()) == 2


async def test_our_columns_are_added_to_a_table_that_others_made(instances, catalogs):
    from shared.authcache.iceberg.catalog import ready

    await ready()
    catalog().create_namespace_if_not_exists(settings().authcache_namespace)
    schema = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("user_id", pa.string(), nullable=False),
            pa.field("shared_email", pa.string(), nullable=False),
            pa.field("created_at", pa.timestamp("us"), nullable=False),
            pa.field("updated_at", pa.timestamp("us")),
        ]
    )
    await asyncio.to_thread(catalog().create_table, (settings().authcache_namespace, "user_shares"), schema=schema)
    store = instances()
    user = registered("ann@example.com")
    share = granted(user.id, "bob@example.com")
    await store.commit([user, share])
    await folded()
    await store.commit([ShareRevoked(at=now(), id=share.id)])
    summary = await folded()
    assert summary.behind == ()
    assert [one["_dropped"] for one in sorted(rows(SHARES), key=lambda row: row["_lsn"])] == [False, True]


async def test_a_file_that_only_forgotten_snapshots_name_is_deleted(instances, catalogs, monkeypatch):
    monkeypatch.setenv("AUTHCACHE_SNAPSHOT_HOURS", "0")
    forget_settings()
    store = instances()
    for number in range(3):
        await store.commit([registered(f"user{number}@example.com")])
        await folded()
    old = [task.file.file_path for task in present(table()).scan().plan_files()]
    assert len(old) == 3
    await folded(tidy=True)
    for path in old:
        assert not await asyncio.to_thread(present(table()).io.new_input(path).exists)
    assert len(rows()) == 3


async def test_look_tells_how_far_a_table_is(instances, catalogs):
    assert (await look_at_table(TableTask(table="users", lsn=0))).lsn == 0
    store = instances()
    lsn = await store.commit([registered("ann@example.com")])
    await folded()
    found = await look_at_table(TableTask(table="users", lsn=0))
    assert (found.lsn, found.foreign) == (lsn, 0)
    assert writing.look(SHARES).snapshot is None


@pytest.mark.parametrize("times", [2, 3])
async def test_small_files_are_made_one_though_the_catalog_loses_the_answer(instances, faults, monkeypatch, times):
    monkeypatch.setenv("AUTHCACHE_MOST_FILES", "2")
    forget_settings()
    store = instances()
    for number in range(times):
        await store.commit([registered(f"user{number}@example.com")])
        faults.lost_answers = 2
        await folded()
    faults.lost_answers = 0
    assert len(rows()) == times
    assert len(list(present(table()).scan().plan_files())) <= 2


async def test_no_more_small_files_are_made_one_than_fit_in_memory(instances, container, monkeypatch):
    store = instances()
    for number in range(3):
        await store.commit([registered(f"user{number}@example.com")])
        await folded()
    sizes = sorted(task.file.file_size_in_bytes for task in present(table()).scan().plan_files())
    monkeypatch.setattr(writing, "MERGED_BYTES", sizes[0] + sizes[1])
    monkeypatch.setenv("AUTHCACHE_MOST_FILES", "2")
    forget_settings()
    assert writing.merge_small_files(USERS) == 2
    assert len(list(present(table()).scan().plan_files())) == 2
    assert len(rows()) == 3
