"""What others wrote to the Iceberg tables comes in, what they got wrong is named, and a lost base is made anew."""

import asyncio
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.authcache.base.format.pyarrow import pa
from shared.authcache.base.manifest import read_manifest
from shared.authcache.base.repair import rebuild_wanted
from shared.authcache.folding import exporting, filling
from shared.authcache.iceberg.catalog import catalog, ready
from shared.authcache.iceberg.tables import KEPT_IN_ICEBERG, existing
from shared.authcache.log.users import UserChanged
from shared.authcache.settings import settings
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.errors import TransientError
from shared.platform.stores.blob_files import delete_blob
from shared.platform.stores.blobs import blob_service
from tests.integration.shared.authcache.conftest import folded, granted, local, now, registered
from tests.present import present

SEED_USERS = pa.schema(
    [
        ("id", pa.string()), ("first_name", pa.string()), ("last_name", pa.string()), ("email", pa.string()),
        ("password_hash", pa.string()), ("tax_rate", pa.decimal128(5, 2)), ("created_at", pa.timestamp("us")),
        ("updated_at", pa.timestamp("us")), ("is_active", pa.bool_()),
    ]
)  # fmt: skip
SEED_SHARES = pa.schema(
    [
        ("id", pa.string()), ("user_id", pa.string()), ("shared_email", pa.string()),
        ("created_at", pa.timestamp("us")), ("updated_at", pa.timestamp("us")),
    ]
)  # fmt: skip
THEN = datetime(2025, 11, 30, 12, 0, 0, 123456)  # noqa: DTZ001 - as InvestFlow's columns have it


def a_user(email, **fields):
    """A row as InvestFlow wrote it."""
    return {
        "id": str(uuid.uuid4()), "first_name": "Ann", "last_name": "Lee", "email": email, "password_hash": "$2b$12$x",
        "tax_rate": None, "created_at": THEN, "updated_at": THEN, "is_active": None, **fields,
    }  # fmt: skip


def a_share(user, email):
    return {"id": str(uuid.uuid4()), "user_id": user, "shared_email": email, "created_at": THEN, "updated_at": THEN}


async def investflow(users, shares):
    """The tables as InvestFlow left them."""
    await ready()

    def make():
        catalog().create_namespace_if_not_exists(settings().authcache_namespace)
        for name, schema, rows in (("users", SEED_USERS, users), ("user_shares", SEED_SHARES, shares)):
            table = catalog().create_table((settings().authcache_namespace, name), schema=schema)
            if rows:
                table.append(pa.Table.from_pylist(rows, schema=schema))

    await asyncio.to_thread(make)


async def others_write(change, of: Table[Any] = USERS):
    """Somebody else's commit to a table of ours."""
    await asyncio.to_thread(lambda: change(existing(catalog(), of)))


def row_of(table, user_id):
    [row] = table.scan(row_filter=f"id == '{user_id}'").to_arrow().to_pylist()
    return row


async def test_the_first_filling_takes_what_investflow_left(instances, catalogs):
    ann, bob = a_user("Ann@Example.COM", tax_rate=Decimal("33.50")), a_user("bob@bücher.example", is_active=False)
    await investflow([ann, bob], [a_share(ann["id"], "BOB@xn--bcher-kva.example")])
    summary = await folded(sync=True)
    assert (summary.synced.users, summary.synced.shares, summary.synced.differences_count) == (2, 1, 0)
    assert summary.behind == ()
    view = await instances().view()
    found = await view.user_by_address("ann@example.com")
    assert (found.email, str(found.tax_rate), found.is_active) == ("Ann@Example.COM", "33.50", True)
    assert found.created_at == found.verified_at == THEN.replace(tzinfo=UTC)
    other = await view.user_by_address("bob@xn--bcher-kva.example")
    assert (other.id, other.is_active) == (bob["id"], False)
    assert (await view.share(ann["id"], "bob@xn--bcher-kva.example")).level == "read"
    assert [one.owner for one in await view.shared_with(other.address)] == [ann["id"]]


async def test_a_row_that_cannot_be_used_is_named_and_the_others_are_taken(instances, catalogs):
    first, second = a_user("ann@example.com"), a_user("ANN@example.com")
    wrong, nobody = a_user("no address"), a_user("cy@example.com", password_hash=None)
    shares = [
        a_share(first["id"], "x@example.com"),
        a_share(first["id"], "X@example.com"),
        a_share("who", "y@example.com"),
    ]
    await investflow([first, second, wrong, nobody], shares)
    synced = (await folded(sync=True)).synced
    assert (synced.users, synced.shares) == (1, 1)
    named = {one.id: one.reason for one in synced.differences}
    assert set(named) == {second["id"], wrong["id"], nobody["id"], shares[1]["id"], shares[2]["id"]}
    assert "another user" in named[second["id"]]
    assert "no user" in named[shares[2]["id"]]
    assert await (await instances().view()).shared_with("y@example.com") == []


async def test_an_unchanged_table_costs_one_look_and_no_new_base(instances, faults):
    await instances().commit([registered("ann@example.com")])
    await folded()
    before = present(await read_manifest())[1]
    faults.requests = 0
    assert (await folded(sync=True)).synced is None
    assert present(await read_manifest())[1] == before
    # Of each table one look, and one for the append; a config each.
    assert faults.requests <= len(KEPT_IN_ICEBERG) * 2 * 2


async def test_what_others_write_comes_in_and_what_is_newer_here_stays(instances, catalogs):
    store = instances()
    ann, bob, cy = (registered(f"{name}@example.com") for name in ("ann", "bob", "cy"))
    await store.commit([ann, bob, cy, granted(ann.id, "cy@example.com")])
    await folded()
    new = a_user("dan@example.com")

    def change(table):
        columns = table.schema().column_names
        schema = table.scan().to_arrow().schema
        altered = row_of(table, bob.id) | {"last_name": "Elsewhere"}
        late = row_of(table, ann.id) | {"last_name": "Late", "_lsn": None}
        table.delete(f"id == '{bob.id}'")
        table.append(pa.Table.from_pylist([altered], schema=schema))
        table.append(pa.Table.from_pylist([{name: new.get(name) for name in columns}, late], schema=schema))
        table.delete(f"id == '{cy.id}'")

    await others_write(change)
    await store.commit([UserChanged(at=now(), user=ann.id, last_name="Here")])
    summary = await folded()
    assert summary.synced.differences_count == 1
    assert summary.synced.differences[0].id == ann.id
    assert "ours stays" in summary.synced.differences[0].reason
    assert summary.behind == ()
    for view in (await instances().view(), (await local(store)).instance.now()):
        assert (await view.user_by_id(ann.id)).last_name == "Here"
        assert (await view.user_by_id(bob.id)).last_name == "Elsewhere"
        assert (await view.user_by_address("dan@example.com")).id == new["id"]
        assert await view.user_by_id(cy.id) is None
        assert await view.shared_with("cy@example.com") != []
    assert (await folded(sync=True)).synced is None  # all of it is known now
    table = present(await asyncio.to_thread(existing, catalog(), USERS))
    rows = (await asyncio.to_thread(lambda: table.scan().to_arrow())).to_pylist()
    assert sorted(one["last_name"] for one in rows) == ["Elsewhere", "Here", "Lee"]
    assert all(one["_lsn"] is not None for one in rows)


async def test_a_sync_without_shares_leaves_no_old_shares(instances, catalogs):
    store = instances()
    ann = registered("ann@example.com")
    await store.commit([ann, granted(ann.id, "bob@example.com")])
    await folded()
    await others_write(lambda table: table.delete("user_id is not null"), SHARES)
    assert (await folded(sync=True)).synced.shares == 0
    assert await (await local(store)).instance.now().shared_by(ann.id) == []


@pytest.mark.parametrize("lost", ["manifest.json", "rows"])
async def test_a_base_that_was_lost_is_made_anew_from_iceberg_and_the_log(instances, container, tmp_path, lost):
    store = instances()
    ann = registered("ann@example.com")
    await store.commit([ann, granted(ann.id, "bob@example.com")])
    await folded()
    lsn = await store.commit([registered("cy@example.com")])
    if lost == "rows":
        name = f"{present(await read_manifest())[0].everything.name}/users.slots"
        for segment in present(await read_manifest())[0].segments:
            name = f"{segment.name}/users.slots" if any(f.name == "users.slots" for f in segment.files) else name
        await blob_service().get_blob_client(container, name).upload_blob(b"\x00" * 10, overwrite=True)
        for folder in (tmp_path).glob("*/*/base-*"):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
    else:
        await delete_blob(container, lost)
    fresh = instances()
    if lost == "rows":
        await fresh.instance.refresh()
        await asyncio.gather(fresh.instance._fetching, return_exceptions=True)
    else:
        with pytest.raises(TransientError) as refused:
            await fresh.view()
        assert refused.value.retry_after
    assert await rebuild_wanted()
    summary = await folded()
    assert summary.synced is not None
    assert await rebuild_wanted() is None
    view = await instances().view(lsn)
    assert await view.user_by_address("ann@example.com")
    assert await view.share(ann.id, "bob@example.com")
    assert await view.user_by_address("cy@example.com")


async def test_a_kill_between_users_and_shares_shows_no_share_of_an_unknown_user(
    instances, container, catalogs, monkeypatch
):
    """Iceberg knows the users of one LSN and the shares of another: the base is of one, and so are the files."""
    store = instances()
    ann = registered("ann@example.com")
    await store.commit([ann])
    await folded()
    bob = registered("bob@example.com")
    share = granted(bob.id, "x@example.com")
    await store.commit([bob, share])
    append = exporting.append

    def dies(table, *rest):
        if table.name == "users":
            raise TransientError("The host is killed here.", code="test")
        return append(table, *rest)

    monkeypatch.setattr(exporting, "append", dies)
    assert (await folded()).behind == ("users",)
    monkeypatch.undo()
    manifest = present(await read_manifest())[0]
    assert {segment.lsn for segment in manifest.segments[:1]} == {manifest.lsn}
    view = await instances().view()
    assert await view.user_by_id(bob.id)
    # The base is lost now: of the shares in Iceberg, one has no user there. It comes with its user, from the log.
    await delete_blob(container, "manifest.json")
    rebuilt = await folded()
    assert [(one.id, one.reason) for one in rebuilt.synced.differences] == [(share.id, "Its owner is no user.")]
    assert (rebuilt.synced.users, rebuilt.synced.shares) == (1, 0)
    assert rebuilt.behind == ()
    view = await instances().view()
    assert [one.owner for one in await view.shared_with("x@example.com")] == [bob.id]
    assert await view.user_by_id(bob.id)


async def test_defect_a_new_instance_takes_a_first_base_that_died_for_a_lost_one(instances, monkeypatch):
    store = instances()
    await store.commit([registered("ann@example.com")])

    class Killed(BaseException):
        pass

    async def killed():
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(filling, "base_made", killed)
        with pytest.raises(Killed):
            await folded()
    assert await (await instances().view()).user_by_address("ann@example.com")
    assert not await rebuild_wanted()
    await folded()
    assert await (await instances().view()).user_by_address("ann@example.com")
