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
def container(monkeypatch):
    """The name of a container that does not exist yet, as AUTHCACHE_CONTAINER says."""
    name = f"authcache-{uuid.uuid4().hex}"
    monkeypatch.setenv("AUTHCACHE_CONTAINER", name)
    forget_settings()
    return name


@pytest.fixture
async def instances(storage, container):
    """Makes instances on one log."""
    made = []

    def make():
        made.append(Store())
        return made[-1]

    yield make
    for one in made:
        await one.close()
