"""Git sources, fetched from a repository on this machine that stands behind an https address."""

import asyncio
import base64
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from shared.deploys.models import GitSource
from shared.deploys.sources.git import check_url, clone
from shared.deploys.sources.tree import Limits
from shared.platform.errors import InvalidInput, TerminalError, TransientError

URL = "https://git.example.com/team/app"


def _git(folder, *arguments) -> str:
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "remote"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    (folder / "app.py").write_text("one")
    (folder / "link").symlink_to("/etc/passwd")
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", "one")
    (folder / "app.py").write_text("two")
    _git(folder, "commit", "-qam", "two")
    return folder


@pytest.fixture
def git(repository):
    """The command under which the https address leads to the repository."""
    return ("git", "-c", f"url.{repository}.insteadOf={URL}", "-c", "protocol.file.allow=always")


@pytest.fixture(autouse=True)
def addresses(monkeypatch):
    """What the host's name stands for: a public address."""
    found = ["140.82.112.3"]

    async def look_up(*_):
        return found

    monkeypatch.setattr("shared.deploys.sources.git._addresses", look_up)
    return found


async def no() -> bool:
    return False


async def test_the_newest_commit_of_a_branch_without_history_and_links(repository, git, tmp_path):
    commit = await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, git=git)
    assert commit == _git(repository, "rev-parse", "main")
    assert sorted(p.name for p in (tmp_path / "into").iterdir()) == ["app.py", "link"]
    assert (tmp_path / "into" / "app.py").read_text() == "two"
    assert not (tmp_path / "into" / "link").is_symlink()
    assert (tmp_path / "into" / "link").read_text() == "/etc/passwd"


async def test_a_commit_by_its_id(repository, git, tmp_path):
    first = _git(repository, "rev-parse", "main~1")
    assert await clone(GitSource(url=URL, commit=first), tmp_path / "into", cancelled=no, git=git) == first
    assert (tmp_path / "into" / "app.py").read_text() == "one"


async def test_a_branch_that_is_not_there(git, tmp_path):
    with pytest.raises(TerminalError, match="git fetch failed") as refusal:
        await clone(GitSource(url=URL, branch="other"), tmp_path / "into", cancelled=no, git=git)
    assert "gitToken" in str(refusal.value.remedy)
    assert not (tmp_path / "into").exists()


async def test_without_the_test_s_permission_only_https_is_spoken(repository, tmp_path):
    git = ("git", "-c", f"url.{repository}.insteadOf={URL}")
    with pytest.raises(TerminalError, match="transport 'file' not allowed"):
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, git=git)


@pytest.mark.parametrize("limits", [Limits(entries=1), Limits(file=2), Limits(total=3)])
async def test_the_limits_of_archives_hold(git, tmp_path, limits):
    with pytest.raises(InvalidInput, match="The source was refused"):
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, limits=limits, git=git)
    assert not (tmp_path / "into").exists()


@pytest.fixture
def hanging(tmp_path):
    """A git that starts a child, notes both process ids, and never ends."""
    program = tmp_path / "hanging-git"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $$ $! > {tmp_path}/pids\nwait\n")
    program.chmod(0o755)
    return (str(program),)


def _all_gone(tmp_path) -> bool:
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    found = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not [p for p in psutil.wait_procs(found, timeout=10)[1] if p.status() != psutil.STATUS_ZOMBIE]


async def test_a_git_that_hangs_is_ended_with_its_children(hanging, tmp_path):
    with pytest.raises(TransientError, match="took longer than"):
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, seconds=1, git=hanging)
    assert _all_gone(tmp_path)
    assert not (tmp_path / "into").exists()


async def test_a_cancel_ends_it_within_a_second(hanging, tmp_path):
    async def when_started() -> bool:
        return (tmp_path / "pids").exists()

    async with asyncio.timeout(5):
        with pytest.raises(TerminalError, match="stopped"):
            await clone(GitSource(url=URL), tmp_path / "into", cancelled=when_started, git=hanging)
    assert _all_gone(tmp_path)


async def test_a_machine_without_git(tmp_path):
    with pytest.raises(TerminalError, match="There is no git here") as refusal:
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, git=("no-such-git",))
    assert "archive" in str(refusal.value.remedy)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://github.com/a/b", "only https"),
        ("ssh://git@github.com/a/b", "only https"),
        ("file:///etc", "only https"),
        ("https://me:hunter2@github.com/a/b", "credentials"),
        ("https://github.com/a/b?x=1", "query"),
        ("https://github.com/", "no repository's"),
        ("https://github.com/a/../b", "no repository's"),
        ("https://github.com/-u/b", "no repository's"),
        ("https://127.0.0.1/a/b", "not its address"),
        ("https://[::1]/a/b", "not its address"),
        ("https://localhost/a/b", "no public host"),
        ("https://vault.internal/a/b", "no public host"),
        ("https://github.com:99999/a", "no address"),
    ],
)
def test_addresses_that_are_refused(url, reason):
    with pytest.raises(InvalidInput, match=reason) as refusal:
        check_url(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "::1", "fd00::1"])
async def test_a_public_name_that_leads_inside_is_refused(inside, addresses, git, tmp_path):
    addresses.append(inside)
    with pytest.raises(InvalidInput, match="is no public host") as refusal:
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, git=git)
    assert refusal.value.field == "gitUrl"


async def test_git_connects_to_the_address_that_was_looked_at(tmp_path):
    recorded = tmp_path / "recorded"
    with pytest.raises(TerminalError):
        await clone(
            GitSource(url=URL),
            tmp_path / "into",
            cancelled=no,
            git=("sh", "-c", f'echo "$@" > {recorded}; exit 1', "git"),
        )
    assert "http.curloptResolve=git.example.com:443:140.82.112.3" in recorded.read_text()


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), TerminalError, "There is no host"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), TransientError, "could not be looked up: Temporary"),
    ],
)
async def test_a_host_that_is_not_there_is_said_to_be_that(monkeypatch, tmp_path, error, kind, message):
    async def look_up(*_):
        raise error

    monkeypatch.setattr("shared.deploys.sources.git._addresses", look_up)
    with pytest.raises(kind, match=message):
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no)


def test_the_list_of_hosts_is_the_last_word():
    check_url("https://git.corp/a/b", ["git.corp"])
    with pytest.raises(InvalidInput, match=r"'github\.com' is not one of git\.corp"):
        check_url("https://github.com/a/b", ["git.corp"])


async def test_links_inside_become_copies_and_what_no_build_needs_is_left_out(repository, git, tmp_path):
    (repository / "lib").mkdir()
    (repository / "lib" / "a.py").write_text("a")
    (repository / "app2.py").symlink_to("app.py")
    (repository / "app3.py").symlink_to("app2.py")
    (repository / "vendored").symlink_to("lib")
    (repository / "lib" / "up").symlink_to("..")
    (repository / "node_modules").mkdir()
    (repository / "node_modules" / "x.js").write_text("")
    _git(repository, "add", "-A", "-f", ".")
    _git(repository, "commit", "-qm", "links")
    into = tmp_path / "into"
    await clone(GitSource(url=URL), into, cancelled=no, git=git)
    assert (into / "app2.py").read_text() == (into / "app3.py").read_text() == "two"
    assert (into / "vendored" / "a.py").read_text() == "a"
    assert (into / "lib" / "up").read_text() == ".."  # it lies in the folder that it leads to
    assert (into / "link").read_text() == "/etc/passwd"
    assert not (into / "node_modules").exists()


TOKEN = "glpat-canary-token-4711"


class _Repositories(BaseHTTPRequestHandler):
    """Git over HTTP for those who have the token, by git's own CGI program."""

    root: str
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        wanted = "Basic " + base64.b64encode(f"somebody:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 - names that the base class calls

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_, **__) -> None:
        """Says nothing."""


@pytest.fixture
def private(repository, tmp_path):
    """The address of a repository behind https and a token, and the git that trusts it and notes how it is called."""
    certificate, key, calls = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "calls"
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=git.example.com")
    subprocess.run(["openssl", *made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    handler = type("Handler", (_Repositories,), {"root": str(repository.parent)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    wrapper = tmp_path / "git-noted"
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\ngit "$@"\nended=$?\n'
        f"grep -r . .git/config .git/FETCH_HEAD >> {calls} 2>&1\nexit $ended\n"
    )
    wrapper.chmod(0o755)
    own = ("http.sslVerify=false", f"http.curloptResolve=git.example.com:{port}:127.0.0.1")
    yield f"https://git.example.com:{port}/remote", (str(wrapper), *(f for one in own for f in ("-c", one))), calls
    server.shutdown()
    server.server_close()


async def test_a_private_repository_is_fetched_by_its_token_which_is_written_nowhere(private, repository, tmp_path):
    url, git, calls = private
    into = tmp_path / "into"
    source = GitSource(url=url, user="somebody")
    commit = await clone(source, into, cancelled=no, token=TOKEN, hosts=["git.example.com"], git=git)
    assert commit == _git(repository, "rev-parse", "main")
    assert (into / "app.py").read_text() == "two"
    noted = calls.read_text()
    assert url in noted  # the configuration and the addresses of git were noted
    basic = base64.b64encode(f"somebody:{TOKEN}".encode()).decode()
    for text in (noted, *(path.read_text() for path in into.rglob("*") if path.is_file())):
        assert TOKEN not in text
        assert basic not in text


@pytest.mark.parametrize("token", [None, "glpat-canary-wrong-0815"])
async def test_without_its_token_a_private_repository_is_refused_with_a_remedy(private, tmp_path, token):
    url, git, _ = private
    source = GitSource(url=url, user="somebody" if token else None)
    with pytest.raises(TerminalError, match="git fetch failed") as refusal:
        await clone(source, tmp_path / "into", cancelled=no, token=token, hosts=["git.example.com"], git=git)
    assert "gitToken" in str(refusal.value.remedy)
    assert "canary" not in refusal.value.message
    assert not (tmp_path / "into").exists()


async def test_defect_a_token_that_the_host_writes_back_is_cut_before_it_is_hidden(tmp_path):
    token = "canary" * 60
    echoing = tmp_path / "echoing-git"
    echoing.write_text(f"#!/bin/sh\necho 'remote: {token} is no token' >&2\nexit 128\n")
    echoing.chmod(0o755)
    with pytest.raises(TerminalError) as failure:
        await clone(GitSource(url=URL), tmp_path / "into", cancelled=no, token=token, git=(str(echoing),))
    assert failure.value.message == "git init failed: remote: *** is no token"
    with_more = echoing.read_text().replace("exit", f"echo '{'x' * 300}' >&2\nexit")
    echoing.write_text(with_more)
    with pytest.raises(TerminalError) as failure:
        await clone(GitSource(url=URL), tmp_path / "into2", cancelled=no, token=token, git=(str(echoing),))
    assert "canary" not in failure.value.message
