"""Instances on a log of their own, in one process; each is a Store that knows nothing of the others."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pyiceberg.catalog import load_catalog

from local.iceberg.faults import Faults
from local.iceberg.testing import serving
from orchestrators.authcache.folding import fold
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.log.shares import ShareGranted
from shared.authcache.log.users import UserCreated
from shared.authcache.settings import settings
from shared.authcache.store import Store
from shared.platform.stores.blob_files import ensure_container
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_store
from tests.integration.player import Player


def now():
    return datetime.now(UTC)


def registered(address, **fields):
    """The record of a registration."""
    given: dict[str, Any] = {
        "first_name": "Ann",
        "last_name": "Lee",
        "password_hash": "hash",
        "verified": True,
        **fields,
    }
    return UserCreated(at=now(), id=given.pop("id", uuid.uuid4().hex), email=address, address=address, **given)


def granted(owner, viewer, **fields):
    """The record of a share."""
    given: dict[str, Any] = {"id": uuid.uuid4().hex, "level": "read", **fields}
    return ShareGranted(at=now(), owner=owner, shared_email=viewer, viewer=viewer, **given)


@pytest.fixture
def container(storage, monkeypatch, tmp_path):
    """A log, a base and a catalog of one's own, of which nothing exists yet; the container of the log."""
    own = uuid.uuid4().hex
    for setting in ("AUTHCACHE_CONTAINER", "AUTHCACHE_LAKE_CONTAINER", "CDC_CACHE_CONTAINER_NAME"):
        monkeypatch.setenv(setting, f"{setting.partition('_')[0].lower()}-{setting[10:14].lower().strip('_')}-{own}")
    monkeypatch.setenv("AUTHCACHE_FOLDER", str(tmp_path))
    forget_settings()
    return f"authcache-cont-{own}"


@pytest.fixture(params=["sql", "rest"])
async def catalogs(request, container, storage_connection, tmp_path, monkeypatch):
    """Each kind of catalog in turn; the faults of the one that answers over HTTP."""
    faults = Faults()
    if request.param == "sql":
        yield faults
        return
    async with rest_catalog(faults, storage_connection, tmp_path) as uri:
        monkeypatch.setenv("AUTHCACHE_CATALOG_URI", uri)
        forget_settings()
        yield faults


@pytest.fixture
async def faults(container, storage_connection, tmp_path, monkeypatch):
    """The faults of a catalog that answers over HTTP."""
    known = Faults()
    async with rest_catalog(known, storage_connection, tmp_path) as uri:
        monkeypatch.setenv("AUTHCACHE_CATALOG_URI", uri)
        forget_settings()
        yield known


@asynccontextmanager
async def rest_catalog(faults, storage_connection, folder):
    parts = dict(part.split("=", 1) for part in storage_connection.split(";") if part)
    lake = settings().authcache_lake_container
    await ensure_container(lake)
    behind = load_catalog(
        "behind",
        **{
            "type": "sql",
            "uri": f"sqlite:///{folder / 'behind.db'}",
            "warehouse": f"abfss://{lake}/warehouse",
            "py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO",
            "adls.connection-string": storage_connection,
            "adls.account-name": parts["AccountName"],
            "adls.account-key": parts["AccountKey"],
        },
    )
    with serving(behind, faults) as uri:
        yield uri


async def folded(**request):
    """What a fold came to, all its steps played here."""
    return await Player().play(fold, FoldRequest(**request))


async def local(store):
    """The store, once the newest base lies on its disk."""
    await store.instance.refresh()
    if store.instance._fetching is not None:
        await asyncio.wait([store.instance._fetching])
    assert store.instance.local
    return store


@pytest.fixture
async def instances(container):
    """Makes instances on one log."""
    made = []

    def make():
        made.append(Store())
        return made[-1]

    yield make
    for one in made:
        await close_store(one)
