"""A model: whatever is written, folded, synced, invalidated and killed in whatever order, all instances agree."""

import asyncio
import uuid
from contextlib import ExitStack
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.authcache.accounts.sharing import share_is_new
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.base.invalidating import invalidate
from shared.authcache.base.manifest import read_manifest
from shared.authcache.folding import exporting, filling, folding
from shared.authcache.folding.folding import fold_log
from shared.authcache.iceberg.catalog import catalog
from shared.authcache.iceberg.tables import existing
from shared.authcache.log.records import Record
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.log.users import UserChanged, UserDeleted
from shared.authcache.store import Store
from shared.authcache.tables import USERS
from shared.authcache.writing.uniqueness import address_is_free
from shared.platform.errors import Conflict
from shared.platform.stores.blobs import close_blobs
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_instance, close_store
from tests.integration.shared.authcache.conftest import folded, granted, now, registered
from tests.present import present

HOSTS = 2
NAMES = st.sampled_from([f"{name}@example.com" for name in ("ann", "bob", "cy", "dan")])
host = st.integers(0, HOSTS - 1)
STEPS_OF_A_FOLD = (
    (folding, "upload"),
    (folding, "write_manifest"),
    (exporting, "append"),
    (filling, "upload"),
    (filling, "write_manifest"),
)


class Killed(BaseException):
    """The host ends here."""


class Model(RuleBasedStateMachine):
    """What the users and shares must be, beside instances on one log."""

    monkeypatch: pytest.MonkeyPatch

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        own = uuid.uuid4().hex
        self.monkeypatch.setenv("AUTHCACHE_CONTAINER", f"authcache-{own}")
        self.monkeypatch.setenv("AUTHCACHE_LAKE_CONTAINER", f"lake-{own}")
        self.monkeypatch.setenv("CDC_CACHE_CONTAINER_NAME", f"cdc-{own}")
        self.monkeypatch.setenv("AUTHCACHE_NAMESPACE", f"n{own}")
        forget_settings()
        self.stores = [self.do(self.new()) for _ in range(HOSTS)]
        self.users = {}  # by address: id, last name
        self.shares = {}  # by owner's id and viewer: id
        self.lsn = 0

    def do(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    async def new(self):
        return Store()

    def commit(self, at, records, check=None):
        self.lsn = self.do(self.stores[at].commit(records, check=check))

    @rule(at=host, address=NAMES)
    def register(self, at, address):
        record = registered(address)
        if address in self.users:
            with pytest.raises(Conflict):
                self.commit(at, [record], address_is_free(address))
        else:
            self.commit(at, [record], address_is_free(address))
            self.users[address] = (record.id, record.last_name)

    @rule(at=host, address=NAMES, name=st.sampled_from(["Lee", "\x1f\x00\x1b", "Ünal"]))
    def rename(self, at, address, name):
        if address in self.users:
            self.commit(at, [UserChanged(at=now(), user=self.users[address][0], last_name=name)])
            self.users[address] = (self.users[address][0], name)

    @rule(at=host, address=NAMES)
    def delete(self, at, address):
        if address in self.users:
            owner, _ = self.users.pop(address)
            self.commit(at, [UserDeleted(at=now(), user=owner)])
            self.shares = {pair: one for pair, one in self.shares.items() if pair[0] != owner}

    @rule(at=host, address=NAMES, viewer=NAMES)
    def share(self, at, address, viewer):
        if address not in self.users:
            return
        pair = (self.users[address][0], viewer)
        record = granted(*pair)
        records: list[Record] = [record]
        if pair in self.shares:
            with pytest.raises(Conflict):
                self.commit(at, records, share_is_new(record, records))
        else:
            self.commit(at, records, share_is_new(record, records))
            self.shares[pair] = record.id

    @precondition(lambda self: self.shares)
    @rule(at=host, data=st.data())
    def revoke(self, at, data):
        pair = data.draw(st.sampled_from(sorted(self.shares)))
        self.commit(at, [ShareRevoked(at=now(), id=self.shares.pop(pair))])

    @rule(tidy=st.booleans(), everything=st.booleans())
    def fold(self, tidy, everything):
        with mock.patch.object(folding, "LEAST_CHANGED", -1 if everything else 50_000):
            assert self.do(folded(tidy=tidy)).behind == ()

    @rule()
    def two_folds(self):
        self.do(self._two_folds())

    async def _two_folds(self):
        await asyncio.gather(fold_log(), fold_log())

    @rule(steps=st.integers(0, 2), rebuild=st.booleans())
    def kill_a_fold(self, steps, rebuild):
        """After so many of its steps: with something new each fold has three or more, whatever was before it."""
        if "ann@example.com" in self.users:
            self.rename(0, "ann@example.com", "Killed")
        else:
            self.register(0, "ann@example.com")
        left = iter(range(steps))

        def strike(*_, **__):
            if next(left, None) is None:
                raise Killed
            return mock.DEFAULT

        with ExitStack() as patches:
            for module, step in STEPS_OF_A_FOLD:
                real = getattr(module, step)
                patches.enter_context(mock.patch.object(module, step, wraps=real, side_effect=strike))
            with pytest.raises(Killed):
                self.do(folded(rebuild=rebuild))
        if self.do(read_manifest()) is None:  # of a first base that died so late the app says so until the next fold
            assert self.do(folded()).behind == ()

    @rule(rebuild=st.booleans())
    def sync(self, rebuild):
        assert self.do(folded(sync=True, rebuild=rebuild)).behind == ()

    @rule(address=NAMES)
    def somebody_else_renames(self, address):
        """In the Iceberg table, which knows all that is folded."""
        if address not in self.users:
            return
        self.do(folded())
        user, _ = self.users[address]

        def change():
            table = present(existing(catalog(), USERS))
            rows = sorted(table.scan(row_filter=f"id == '{user}'").to_arrow().to_pylist(), key=lambda row: row["_lsn"])
            row = rows[-1] | {"last_name": "Elsewhere", "_lsn": None}
            table.append(pa.Table.from_pylist([row], schema=table.scan().to_arrow().schema))

        change()
        assert self.do(folded(sync=True)).synced.differences_count == 0
        self.users[address] = (user, "Elsewhere")

    @rule()
    def invalidate(self):
        self.do(invalidate())

    @rule(at=host)
    def restart(self, at):
        self.do(close_instance(self.stores[at].instance))
        self.stores[at] = self.do(self.new())

    @invariant()
    def all_instances_say_the_same(self):
        for store in self.stores:
            self.do(self._look(store))

    async def _look(self, store):
        await store.instance.refresh()
        if store.instance._fetching is not None:
            await asyncio.wait([store.instance._fetching])
        view = await store.view(self.lsn)
        for address in ("ann@example.com", "bob@example.com", "cy@example.com", "dan@example.com"):
            user = await view.user_by_address(address)
            assert (user and (user.id, user.last_name)) == self.users.get(address)
            owners = {share.owner for share in await view.shared_with(address)}
            assert owners == {owner for owner, viewer in self.shares if viewer == address}
        for user, _ in self.users.values():
            viewers = {share.viewer for share in await view.shared_by(user)}
            assert viewers == {viewer for owner, viewer in self.shares if owner == user}

    def teardown(self):
        if hasattr(self, "loop"):
            for store in self.stores:
                self.do(close_store(store))
            self.do(close_blobs())
            self.loop.close()


def test_whatever_happens_all_instances_say_the_same(storage_connection, monkeypatch, tmp_path):
    monkeypatch.setenv("STORAGE_CONNECTION", storage_connection)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    monkeypatch.setenv("AUTHCACHE_FOLDER", str(tmp_path))
    Model.monkeypatch = monkeypatch
    try:
        run_state_machine_as_test(
            Model,
            settings=settings(
                max_examples=8,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
    finally:
        forget_settings()
