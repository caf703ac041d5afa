"""A git host that stays away is tried again for a while, and named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import GitSource
from shared.deploys.sources import fetching
from shared.platform.calls.retry import Backoff
from shared.platform.errors import TerminalError, TransientError
from tests.integration.shared.deploys.sources.hosts import no
from tests.integration.shared.deploys.sources.repositories import Server


async def test_a_host_that_stays_away_is_named_with_its_cause(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "GIT_RETRIES", Backoff(limit=0.3, first_delay=0.1, longest_delay=0.1))
    source = GitSource(url="https://git.example.com:9/remote")
    with pytest.raises(TerminalError) as refused:
        await fetching.fetch(source, "org", "project", tmp_path / "into", cancelled=no)
    assert refused.value.code == "git-host-unavailable"
    assert "refused" in refused.value.message
    assert "It was tried" in refused.value.message
    assert "_P" not in refused.value.message  # the name of a class of ours


async def test_a_cancel_ends_the_wait_for_a_host_that_stays_away(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "GIT_RETRIES", Backoff(limit=7200, first_delay=3600, longest_delay=3600))
    tried = asyncio.Event()

    async def away(*_: object, **__: object) -> None:
        tried.set()
        raise TransientError("The host does not answer.")

    monkeypatch.setattr(fetching, "clone", away)

    async def cancelled() -> bool:
        return tried.is_set()

    with pytest.raises(DeploymentCancelled):
        await fetching.fetch(
            GitSource(url="https://example.com/x", branch="main"), "o", "p", tmp_path / "into", cancelled=cancelled
        )
