"""What is fetched of a git server, by git's own on this machine, and what is refused of one."""

from __future__ import annotations

import base64
import logging
import random
from pathlib import Path

import pytest

from shared.deploys.models import GitSource
from shared.deploys.sources.git import clone
from shared.platform.errors import InvalidInput, TerminalError
from tests.integration.shared.deploys.sources.hosts import TOKEN, no, page
from tests.integration.shared.deploys.sources.repositories import Answer, Server, git


async def test_the_newest_commit_of_a_branch_without_history(
    server: Server, repository: Path, tmp_path: Path, protocol: bool
) -> None:
    server.protocol = protocol
    into = tmp_path / "into"
    done = await clone(GitSource(url=server.url), into, cancelled=no)
    assert done.commit == git(repository, "rev-parse", "main")
    assert sorted(one.name for one in into.iterdir()) == ["app.py", "link", "run.sh"]
    assert (into / "app.py").read_text() == "two"
    assert (into / "run.sh").stat().st_mode & 0o777 == 0o755
    assert not (into / "link").is_symlink()
    assert (into / "link").read_text() == "/etc/passwd"
    versions = {headers.get("Git-Protocol") for method, _, headers in server.seen if method == "POST"}
    assert versions == ({"version=2"} if protocol else {None})


async def test_a_tag_by_its_name_and_a_commit_by_its_id(
    server: Server, repository: Path, tmp_path: Path, protocol: bool
) -> None:
    server.protocol = protocol
    first, second = git(repository, "rev-parse", "main~1"), git(repository, "rev-parse", "main")
    for number, (source, commit, content) in enumerate(
        [
            (GitSource(url=server.url, branch="v1"), first, "one"),
            (GitSource(url=server.url, branch="v2"), second, "two"),
            (GitSource(url=server.url, commit=first), first, "one"),
        ]
    ):
        into = tmp_path / f"into{number}"
        assert (await clone(source, into, cancelled=no)).commit == commit
        assert (into / "app.py").read_text() == content


async def test_a_branch_that_is_not_there(server: Server, repository: Path, tmp_path: Path, protocol: bool) -> None:
    server.protocol = protocol
    git(repository, "branch", "dev")
    for branch in ("other", "mai"):
        with pytest.raises(TerminalError, match=rf"There is no branch or tag '{branch}' in .*: it has main, dev\."):
            await clone(GitSource(url=server.url, branch=branch), tmp_path / "into", cancelled=no)
    assert not (tmp_path / "into").exists()


async def test_a_commit_that_is_not_there(server: Server, tmp_path: Path, protocol: bool) -> None:
    server.protocol = protocol
    with pytest.raises(TerminalError, match=r"There is no commit a{40} in") as refusal:
        await clone(GitSource(url=server.url, commit="a" * 40), tmp_path / "into", cancelled=no)
    assert refusal.value.code == "git-failed"


async def test_an_empty_repository_and_none_at_all(server: Server, tmp_path: Path, protocol: bool) -> None:
    server.protocol = protocol
    (server.root / "empty").mkdir()
    git(server.root / "empty", "init", "-q", "-b", "main")
    with pytest.raises(TerminalError, match="it is empty") as refusal:
        await clone(GitSource(url=server.url.replace("remote", "empty")), tmp_path / "into", cancelled=no)
    assert refusal.value.remedy == "Push a commit to it first."
    with pytest.raises(TerminalError, match=r"no public repository at .*/nothing: the host answered 404"):
        await clone(GitSource(url=server.url.replace("remote", "nothing")), tmp_path / "into", cancelled=no)


async def test_a_repository_that_is_too_large_is_refused_while_it_comes(
    server: Server, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.remote.PACK_BYTES", 1_000_000)
    (repository / "noise").write_bytes(random.Random(17).randbytes(5_000_000))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "large")
    with pytest.raises(InvalidInput, match="the packed files of the commit have more than 1,000,000 bytes"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)


async def test_a_private_repository_is_fetched_by_its_token_which_is_written_nowhere(
    server: Server, repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = TOKEN
    caplog.set_level(logging.DEBUG)
    source = GitSource(url=server.url, user="somebody")
    done = await clone(source, tmp_path / "into", cancelled=no, token=TOKEN)
    assert done.commit == git(repository, "rev-parse", "main")
    basic = base64.b64encode(f"somebody:{TOKEN}".encode()).decode()
    assert caplog.text  # urllib3 and dulwich write down what they do
    files = [path.read_text() for path in (tmp_path / "into").rglob("*") if path.is_file()]
    for text in (caplog.text, *files):
        assert TOKEN not in text
        assert basic not in text


async def test_a_redirect_within_the_host_is_followed(server: Server, repository: Path, tmp_path: Path) -> None:
    (repository.parent / "renamed").symlink_to(repository)

    def renamed(_: str, path: str, __: bytes) -> Answer | None:
        moved = path.replace("/remote", "/renamed")
        return (301, {"Location": server.url.replace("/remote", moved)}, b"") if moved != path else None

    server.hostile = renamed
    done = await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
    assert done.commit == git(repository, "rev-parse", "main")


async def test_packs_elsewhere_are_not_fetched(server: Server, tmp_path: Path) -> None:
    def line(text: bytes) -> bytes:
        return f"{len(text) + 4:04x}".encode() + text

    def elsewhere(_: str, __: str, body: bytes) -> Answer | None:
        if b"command=fetch" not in body:
            return None
        content = line(b"packfile-uris\n") + line(b"https://10.0.0.1/pack sha1 " + b"a" * 40) + b"0000"
        return 200, {"Content-Type": "application/x-git-upload-pack-result"}, content

    server.hostile = elsewhere
    with pytest.raises(TerminalError, match=r"another host, '10\.0\.0\.1'"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)


async def test_a_list_of_branches_without_an_end_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.remote._REFS_BYTES", 100_000)
    name = "application/x-git-upload-pack-advertisement"
    lines = b"".join(b"0040" + b"%040x" % number + b" refs/heads/b%06d\n" % number for number in range(5_000))
    server.hostile = page(200, b"001e# service=git-upload-pack\n0000" + lines, Content_Type=name)
    with pytest.raises(InvalidInput, match="its list of branches and tags have more than"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
