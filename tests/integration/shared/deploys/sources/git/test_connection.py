"""Connections to git servers: silent, cancelled, not trusted."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import GitSource
from shared.deploys.sources.git import clone
from shared.platform.errors import TransientError
from tests.integration.shared.deploys.sources.hosts import TOKEN, no
from tests.integration.shared.deploys.sources.repositories import Server


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """The address of a host that takes connections and says nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take() -> None:
        try:
            while True:
                taken.append(listening.accept()[0])
        except OSError:
            return

    threading.Thread(target=take, daemon=True).start()

    async def addresses(_: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr("shared.deploys.sources.git.public_addresses", addresses)
    yield f"https://git.example.com:{listening.getsockname()[1]}/remote"
    listening.close()
    for one in taken:
        one.close()


async def test_a_host_that_says_nothing_is_left_in_time(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(TransientError, match=r"took longer than 0\.5 s"):
        await clone(GitSource(url=silent), tmp_path / "into", cancelled=no)
    assert time.monotonic() - begun < 5
    assert not (tmp_path / "into").exists()


async def test_a_cancel_ends_it_within_a_second(silent: str, tmp_path: Path) -> None:
    calls = 0

    async def after_a_while() -> bool:
        nonlocal calls
        calls += 1
        return calls > 2

    async with asyncio.timeout(5):
        with pytest.raises(DeploymentCancelled):
            await clone(GitSource(url=silent), tmp_path / "into", cancelled=after_a_while)
    assert not (tmp_path / "into").exists()


async def test_a_host_that_nobody_vouches_for_and_one_that_is_not_there(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(TransientError, match="certificate verify failed"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no, token=TOKEN)
    assert server.seen == []
    with pytest.raises(
        TransientError, match=r"^The host git\.example\.com could not be reached: Connection refused\. "
    ):
        await clone(GitSource(url="https://git.example.com:9/remote"), tmp_path / "into", cancelled=no)
