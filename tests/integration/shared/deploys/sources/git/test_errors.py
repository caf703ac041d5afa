"""What is said of a host that does not give the source."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.deploys.models import GitSource
from shared.deploys.sources.git import clone
from shared.platform.errors import TerminalError, TransientError
from tests.integration.shared.deploys.sources.hosts import TOKEN, no, page
from tests.integration.shared.deploys.sources.repositories import Answer, Server


@pytest.mark.parametrize(
    ("token", "said", "remedy"),
    [
        (None, "There is no public repository", "needs gitToken"),
        ("glpat-canary-wrong-0815", "The host refused gitToken .* 401", "gitToken|has not expired"),
    ],
)
async def test_without_its_token_a_private_repository_is_refused_with_a_remedy(
    server: Server, tmp_path: Path, token: str | None, said: str, remedy: str
) -> None:
    server.token = TOKEN
    source = GitSource(url=server.url, user="somebody" if token else None)
    with pytest.raises(TerminalError, match=said) as refusal:
        await clone(source, tmp_path / "into", cancelled=no, token=token)
    assert refusal.value.code == "git-failed"
    assert any(word in str(refusal.value.remedy) for word in remedy.split("|"))
    assert "canary" not in str(refusal.value)
    if token:  # the server writes the whole header back
        assert base64.b64encode(f"somebody:{token}".encode()).decode() not in str(refusal.value)
        assert "***" in refusal.value.message
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (page(200, b"<html>", Content_Type="text/html"), TerminalError, "is no git repository: .* 'text/html'"),
        (page(503), TransientError, "the host answered 503"),
        (page(429, b"slow down", Content_Type="text/plain"), TransientError, "429: 'slow down'"),
        (page(302, Location="https://other.example.com/remote/info/refs"), TerminalError, "another host, 'other.exam"),
        (page(302, Location="http://git.example.com/remote/info/refs"), TerminalError, "to another host"),
        (page(302, Location="http://169.254.169.254/latest"), TerminalError, "to another host"),
        (page(302, Location="file:///etc/passwd"), TerminalError, "to another host"),
        (page(302, Location="/again?service=git-upload-pack"), TerminalError, "again and again"),
        (page(200, b"zzzz", Content_Type="application/x-git-upload-pack-advertisement"), TerminalError, "git"),
        (page(200, b"", Content_Type="application/x-git-upload-pack-advertisement"), TransientError, "could not be"),
        (page(200, b"0008\xff\xfe0", Content_Type="application/x-git-upload-pack-advertisement"), TerminalError, "git"),
    ],
)
async def test_what_a_host_may_answer_instead(
    server: Server,
    tmp_path: Path,
    answer: Callable[[str, str, bytes], Answer],
    kind: type[Exception],
    said: str,
) -> None:
    server.hostile = answer
    with pytest.raises(kind, match=said):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no, token=TOKEN)
    assert {path.partition("?")[0] for _, path, _ in server.seen} <= {"/remote/info/refs", "/again"}
    assert not (tmp_path / "into").exists()
