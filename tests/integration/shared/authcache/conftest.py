"""Instances on a log of their own, in one process; each is a Store that knows nothing of the others."""

import uuid
from datetime import UTC, datetime

import pytest

from shared.authcache.log.shares import ShareGranted
from shared.authcache.log.users import UserCreated
from shared.authcache.store import Store
from shared.platform.settings import forget_settings


def now():
    return datetime.now(UTC)


def registered(address, **fields):
    """The record of a registration."""
    given = {"first_name": "Ann", "last_name": "Lee", "password_hash": "hash", "verified": True, **fields}
    return UserCreated(at=now(), id=given.pop("id", uuid.uuid4().hex), email=address, address=address, **given)


def granted(owner, viewer, **fields):
    """The record of a share."""
    given = {"id": uuid.uuid4().hex, "level": "read", **fields}
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


@pytest.fixture
async def instances(container):
    """Makes instances on one log."""
    made = []

    def make():
        made.append(Store())
        return made[-1]

    yield make
    for one in made:
        await one.close()
