"""A commit of a Git repository as a folder of files.

The token of a private one reaches git in its environment alone: no command line, address or file ever holds it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import os
import re
import shutil
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from shared.deploys.cancellation import Cancelled, unless_cancelled
from shared.deploys.models import GitSource
from shared.deploys.settings import settings
from shared.deploys.sources.checkout import links_of, settle, size
from shared.deploys.sources.tree import LIMITS, Limits, refused
from shared.platform.errors import InvalidInput, TerminalError, TransientError
from shared.platform.files import scratch_folder
from shared.platform.redaction import Redactor

GIT = ("git",)
SECONDS = 120
USUAL_USER = "x-access-token"
"""What hosts that look at the token alone take for its user."""
_SHOWN_CHARACTERS = 500
_AZURE_INSIDE = "168.63.129.16"
"""Where each machine in Azure reaches its own host, though the address looks public."""
_PATH = re.compile(r"(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+/?")
_CONFIG = {
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "http.followRedirects": "false",  # a redirect leads to hosts that nobody has looked at
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "core.hooksPath": "/dev/null",
    "core.symlinks": "false",  # a link is checked out as a file with its target's name
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "credential.helper": "",
    "init.defaultBranch": "main",
    "advice.detachedHead": "false",
    "gc.auto": "0",
}


def allowed_hosts() -> list[str]:
    """Those that GIT_HOSTS names; none: any public one."""
    return [host for host in settings().git_hosts.split(",") if host]


def check_url(url: str, hosts: Sequence[str] = ()) -> None:
    """Refuse an address that is not plain https to a public host name, or not to one of `hosts` if there are any.

    Raises:
        InvalidInput: with the reason; credentials in the address are not repeated in it.
    """
    try:
        found = urlsplit(url)
        host = (found.hostname or "").lower()
        _ = found.port
    except ValueError:
        raise _no_url("it is no address") from None
    if found.scheme != "https":
        raise _no_url("only https is taken")
    if found.username is not None or found.password is not None:
        raise _no_url("it must not hold credentials")
    if found.query or found.fragment:
        raise _no_url("it must not have a query or a fragment")
    if not _PATH.fullmatch(found.path):
        raise _no_url("its path is no repository's")
    if hosts:
        if host not in {allowed.lower() for allowed in hosts}:
            raise _no_url(f"the host {host!r} is not one of {', '.join(hosts)}")
        return
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        raise _no_url("it must name the host, not its address")
    if "." not in host or host.endswith((".local", ".internal", ".localhost")):
        raise _no_url(f"{host!r} is no public host")


def check_program() -> None:
    """Refuse to take on what could not be fetched here: the images of Azure Functions come without git.

    Raises:
        InvalidInput: there is no program `git` (`git-missing`).
    """
    if shutil.which(GIT[0], path=os.environ.get("PATH", os.defpath)) is None:
        raise InvalidInput(
            "This app runs where there is no program git, so it cannot fetch a gitUrl.",
            field="gitUrl",
            code="git-missing",
            remedy="In a clone of the repository run `git archive -o source.zip HEAD`, PUT source.zip to"
            " /deploy/project/{id}/source, and POST /deploy without gitUrl, gitToken and gitUser.",
        )


async def clone(
    source: GitSource,
    folder: Path,
    *,
    cancelled: Cancelled,
    limits: Limits = LIMITS,
    token: str | None = None,
    seconds: float = SECONDS,
    hosts: Sequence[str] = (),
    git: Sequence[str] = GIT,
) -> str:
    """Fetch one commit into a new folder, without its history, hooks, submodules or links; its id.

    Raises:
        InvalidInput: the address, or where it leads, or the tree is refused; the message says why.
        TransientError: it took too long.
        TerminalError: git could not fetch it, or is not installed.
        DeploymentCancelled: `cancelled` said so.
    """
    check_url(source.url, hosts)
    pinned = () if hosts else await _pin(source.url)
    wanted = source.commit or f"refs/heads/{source.branch}"
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with scratch_folder("manifold-git-") as home:
        environment = {**_environment(home), **(_authorization(source, token) if token else {})}
        redact = Redactor([token] if token else [])
        run = _Git((*git, *_flags(), *pinned), folder, environment, cancelled=cancelled, limits=limits, redact=redact)
        try:
            async with asyncio.timeout(seconds):
                await run("init", "--quiet")
                await run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", source.url, wanted)
                await run("checkout", "--quiet", "--detach", "FETCH_HEAD")
                commit = await run("rev-parse", "HEAD")
                listed = await run("ls-files", "--stage", "-z")
            await asyncio.to_thread(settle, folder, limits, links_of(listed))
        except TimeoutError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise TransientError(
                f"Fetching {source.url} took longer than {seconds:g} s.", code="git-slow", remedy="Try again later."
            ) from None
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise
    return commit.strip()


class _Git:
    """Runs git in a process group of its own, which does not outlive the call."""

    def __init__(
        self,
        command: tuple[str, ...],
        folder: Path,
        environment: Mapping[str, str],
        *,
        cancelled: Cancelled,
        limits: Limits,
        redact: Redactor,
    ) -> None:
        self._command = command
        self._folder = folder
        self._cancelled = cancelled
        self._limits = limits
        self._environment = environment
        self._redact = redact

    async def __call__(self, *arguments: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise TerminalError(
                "There is no git here to fetch the source with.",
                code="git-missing",
                remedy="Upload the source as an archive instead.",
            ) from None
        output = (await unless_cancelled(_communicate(process), self._watch)).decode(errors="replace")
        if process.returncode != 0:
            raise TerminalError(
                # A host may write the token back, and a cut through it would leave what nobody knows again.
                f"git {arguments[0]} failed: {self._redact(output).strip()[-_SHOWN_CHARACTERS:] or process.returncode}",
                code="git-failed",
                remedy="See that the branch or commit is there, and that all, or gitToken, may read the repository.",
            )
        return output

    async def _watch(self) -> bool:
        """Whether the deployment is cancelled; also refuses a source that grows too large while it is fetched."""
        if await asyncio.to_thread(size, self._folder) > 2 * self._limits.total:  # files and packed objects
            raise refused(".git", f"makes the source larger than {self._limits.total:,} bytes")
        return await self._cancelled()


async def _communicate(process: asyncio.subprocess.Process) -> bytes:
    """What the process writes until it ends. When cancelled, its whole process group is killed first."""
    try:
        return (await process.communicate())[0]
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise


async def _pin(url: str) -> tuple[str, ...]:
    """Look the host up and let git connect there and nowhere else, so that no name leads into this network.

    Raises:
        InvalidInput: the name stands for an address that is not public.
        TerminalError: there is no such host (`git-host-unknown`).
        TransientError: it cannot be looked up now.
    """
    found = urlsplit(url)
    host, port = found.hostname or "", found.port or 443
    try:
        addresses = await _addresses(host, port)
    except OSError as error:  # the codes of getaddrinfo are negative, so they are no other errors' numbers
        if error.errno == socket.EAI_NONAME:
            raise TerminalError(
                f"There is no host {host}.", code="git-host-unknown", remedy="See that the address is right."
            ) from None
        raise TransientError(
            f"The host {host} could not be looked up: {error.strerror}.",
            code="git-host-unavailable",
            remedy="Try again later.",
        ) from None
    if _AZURE_INSIDE in addresses or not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise _no_url(f"{host!r} is no public host")
    written = ",".join(f"[{one}]" if ":" in one else one for one in addresses)
    return ("-c", f"http.curloptResolve={host}:{port}:{written}")


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _authorization(source: GitSource, token: str) -> dict[str, str]:
    """A header for the one host that the token is for; redirects are not followed in any case."""
    found = urlsplit(source.url)
    basic = base64.b64encode(f"{source.user or USUAL_USER}:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.https://{found.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }


def _flags() -> list[str]:
    return [part for name, value in _CONFIG.items() for part in ("-c", f"{name}={value}")]


def _no_url(reason: str) -> InvalidInput:
    return InvalidInput(
        f"The git URL was refused: {reason}.",
        field="gitUrl",
        code="git-url-refused",
        remedy="Give an https address without credentials; a private repository's token is gitToken.",
    )
