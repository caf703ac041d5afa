"""The triggers of the auth cache on a log of their own, with a stand-in for the durable host."""

from typing import Any

import pytest

from shared.authcache.folding.due import ProcessFolds
from shared.platform.durable import DurableClient
from shared.platform.errors import Conflict
from tests.integration.closing import close_store
from tests.integration.shared.authcache.conftest import container
from triggers.authcache import upkeep

__all__ = ["container"]


class Host:
    """Remembers what it was asked to start; while `running` it starts nothing."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.running = False

    async def start(self, orchestration: Any, request: Any, *, instance_id: str) -> None:
        assert (orchestration.name, instance_id) == ("fold", upkeep.FOLD)
        if self.running:
            raise Conflict("It runs already.", code="running")
        self.started.append(request)

    start_if_idle = DurableClient.start_if_idle

    async def find(self, instance_id: str) -> None:
        """No fold has ended of which anything is to be told."""


@pytest.fixture
async def host(container, monkeypatch):
    """A host that has looked at Iceberg since it started."""
    monkeypatch.setattr(upkeep, "_process", ProcessFolds(looked=True))
    yield Host()
    await close_store()


@pytest.fixture
def client(host) -> DurableClient:
    return host
