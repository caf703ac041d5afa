"""Git sources, fetched over HTTPS from git's own server on this machine."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.models import GitSource
from shared.deploys.sources import fetching
from shared.deploys.sources.git import clone
from shared.deploys.sources.tree import Limits
from shared.platform.calls.retry import Backoff
from shared.platform.errors import InvalidInput, TerminalError, TransientError
from tests.integration.shared.deploys.sources.repositories import Answer, Server, git, serving

TOKEN = "glpat-canary-token-4711"


async def no() -> bool:
    return False


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


async def test_a_large_pack_with_many_changes(server: Server, repository: Path, tmp_path: Path, protocol: bool) -> None:
    server.protocol = protocol
    chance = random.Random(17)
    (repository / "noise.bin").write_bytes(chance.randbytes(8_000_000))
    lines = [f"line {number} {chance.random()}" for number in range(2_000)]
    for number in range(300):  # alike, so that git packs them as changes of one another
        lines[number] = f"changed {number}"
        folder = repository / f"f{number % 7}" / f"g{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"data{number}.txt").write_text("\n".join(lines))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "large")
    git(repository, "repack", "-adfq", "--depth=40", "--window=20")
    await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
    names = git(repository, "ls-files").split("\n")
    assert len(names) == 304
    for name in set(names) - {"link"}:
        assert (tmp_path / "into" / name).read_bytes() == (repository / name).read_bytes(), name


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


@pytest.mark.parametrize("limits", [Limits(entries=2), Limits(file=2), Limits(total=3)])
async def test_the_limits_of_archives_hold(
    server: Server, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.LIMITS", limits)
    with pytest.raises(InvalidInput, match="The source was refused"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)
    assert not (tmp_path / "into").exists()


async def test_a_repository_that_is_too_large_is_refused_while_it_comes(
    server: Server, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deploys.sources.git.remote.PACK_BYTES", 1_000_000)
    (repository / "noise").write_bytes(random.Random(17).randbytes(5_000_000))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "large")
    with pytest.raises(InvalidInput, match="the packed files of the commit have more than 1,000,000 bytes"):
        await clone(GitSource(url=server.url), tmp_path / "into", cancelled=no)


async def test_links_inside_become_copies_and_what_no_build_needs_is_left_out(
    server: Server, repository: Path, tmp_path: Path
) -> None:
    (repository / "lib").mkdir()
    (repository / "lib" / "a.py").write_text("a")
    (repository / "app2.py").symlink_to("app.py")
    (repository / "app3.py").symlink_to("app2.py")
    (repository / "vendored").symlink_to("lib")
    (repository / "dangling").symlink_to("nothing")
    (repository / "lib" / "up").symlink_to("..")
    (repository / "film.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5000000000\n")
    (repository / "node_modules").mkdir()
    (repository / "node_modules" / "x.js").write_text("")
    git(repository, "add", "-A", "-f", ".")
    added = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{added},themes/dark")
    git(repository, "commit", "-qm", "links")
    into = tmp_path / "into"
    done = await clone(GitSource(url=server.url), into, cancelled=no)
    assert done.submodules == ["themes/dark"]
    assert done.large == ["film.mp4"]
    assert (into / "app2.py").read_text() == (into / "app3.py").read_text() == "two"
    assert (into / "vendored" / "a.py").read_text() == "a"
    assert (into / "lib" / "up").read_text() == ".."  # it lies in the folder that it leads to
    assert (into / "link").read_text() == "/etc/passwd"
    assert not (into / "node_modules").exists()
    assert not (into / "dangling").exists()


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


def page(status: int, body: bytes = b"", **headers: str) -> Callable[[str, str, bytes], Answer]:
    return lambda *_: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


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
    asked = 0

    async def after_a_while() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

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
