"""A commit of a Git repository as a folder of files, by a library alone: where the app runs there may be no git."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.deploys.cancellation import Cancelled, in_thread, unless_cancelled
from shared.deploys.models import GitSource
from shared.deploys.sources.git.address import allowed_hosts, check_url, public_addresses
from shared.deploys.sources.tree import LIMITS
from shared.platform.errors import TransientError
from shared.platform.files import scratch_folder

if TYPE_CHECKING:
    from shared.deploys.sources.git.checkout import CheckedOut

__all__ = ["allowed_hosts", "check_url", "clone"]

SECONDS: Final = 120
"""That one attempt to fetch a commit may take."""


async def clone(
    source: GitSource,
    folder: Path,
    *,
    cancelled: Cancelled,
    token: str | None = None,
    hosts: Sequence[str] = (),
) -> CheckedOut:
    """Fetch one commit into a new folder, without its history and submodules; its id. After a failure nothing is left.

    Raises:
        InvalidInput: the address, or where it leads, or the tree is refused; the message says why.
        TransientError: it took too long, or the host cannot be reached.
        TerminalError: it cannot be fetched.
        DeploymentCancelled: `cancelled` said so.
    """
    from shared.deploys.sources.git import checkout, connection, remote  # noqa: PLC0415 - load in the activity

    check_url(source.url, hosts)
    addresses = [] if hosts else await public_addresses(source.url)
    address = urlsplit(source.url)
    await asyncio.to_thread(folder.mkdir, parents=True)
    opened = connection.OpenSockets()

    def work(pack: Path, cancelled: Callable[[], bool]) -> CheckedOut:
        pool = connection.pool_of(address.hostname or "", address.port or 443, addresses, opened)
        with pool, pack.open("wb") as file:
            object_id = remote.Remote(source, pool, token, cancelled).fetch_commit(file)
        return checkout.check_out(pack, object_id, folder, LIMITS, cancelled)

    try:
        async with asyncio.timeout(SECONDS), scratch_folder("manifold-git-") as scratch:
            fetching = in_thread(lambda cancelled: work(scratch / "pack", cancelled), wake=opened.shut)
            return await unless_cancelled(fetching, cancelled)
    except TimeoutError:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise TransientError(
            f"Fetching {source.url} took longer than {SECONDS:g} s.", code="git-slow", remedy="Try again later."
        ) from None
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    finally:
        opened.close()
