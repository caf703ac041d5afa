"""A git server on this machine, reached over HTTPS."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.integration.shared.deploys.sources.repositories import Server, git, serving


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repositories" / "remote"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "app.py").write_text("one")
    (folder / "run.sh").write_text("#!/bin/sh")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v1")
    (folder / "app.py").write_text("two")
    git(folder, "commit", "-qam", "two")
    git(folder, "tag", "-a", "v2", "-m", "the second")
    return folder


@pytest.fixture(params=[True, False], ids=["v2", "v0"])
def protocol(request: pytest.FixtureRequest) -> bool:
    """Whether the server speaks the newest version of the protocol, or the oldest alone."""
    return request.param


@pytest.fixture
def server(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Server]:
    """A server whose name stands for this machine, as if that were a public address, and whom the app trusts."""

    async def addresses(_: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr("shared.deploys.sources.git.public_addresses", addresses)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    with serving(repository.parent, tmp_path) as running:
        yield running
